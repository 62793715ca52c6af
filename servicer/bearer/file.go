package bearer

import (
	"context"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/vitals-go/vitals/internal/asynclog"
	"github.com/vitals-go/vitals/internal/safefile"
)

const reloadInterval = time.Second // minimum between two checks of the file

// file is a token file that is reloaded when it changes.
type file struct {
	path string
	log  *asynclog.Logger
	sums atomic.Pointer[[]digest]

	mu       sync.Mutex // guards the fields below; held by one caller during a reload, others use the previous tokens
	loaded   fs.FileInfo
	checked  time.Time
	reported string // the error that has been logged
}

// digests returns the valid tokens, after a reload if one is due.
func (f *file) digests(ctx context.Context) []digest {
	if f.mu.TryLock() {
		err := f.reload()
		f.mu.Unlock()
		if err != nil {
			f.log.LogContext(ctx, slog.LevelError, "bearer: token file reload failed, keeping the previous tokens",
				slog.String("error", err.Error()))
		}
	}
	return *f.sums.Load()
}

// reload loads the file if it is due and the file has changed. It returns an error only once while it stays the same.
func (f *file) reload() error {
	now := time.Now()
	if now.Sub(f.checked) < reloadInterval {
		return nil
	}
	f.checked = now
	info, err := os.Stat(f.path)
	if err == nil && !safefile.Same(info, f.loaded) {
		err = f.load()
	}
	if text := fmt.Sprint(err); text != f.reported {
		f.reported = text
		return err
	}
	return nil
}

// load replaces the tokens by those in the file, all or none.
func (f *file) load() error {
	body, info, err := safefile.Read(f.path, 256<<10)
	if err != nil {
		return fmt.Errorf("bearer: File: %w", err)
	}
	var tokens []string
	for line := range strings.Lines(string(body)) {
		if line = strings.TrimSpace(line); line != "" {
			tokens = append(tokens, line)
		}
	}
	if len(tokens) == 0 {
		return fmt.Errorf("bearer: File: %s has no token", f.path)
	}
	sums, err := digests("File", tokens)
	if err != nil {
		return err
	}
	f.sums.Store(&sums)
	f.loaded = info
	return nil
}
