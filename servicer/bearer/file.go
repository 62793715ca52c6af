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

	"github.com/vitals-go/vitals/internal/regular"
)

const (
	// recheck is the least time between two looks at the file.
	recheck = time.Second
	// maxFile bounds what is read of it, in bytes.
	maxFile = 256 << 10
)

// file is a file of tokens.
type file struct {
	path string
	kept atomic.Pointer[[]digest]

	mu      sync.Mutex // guards what follows; held while the file is read, by one caller: others do not wait
	seen    fs.FileInfo
	looked  time.Time
	trouble string // what has been logged
}

func openFile(path string) (*file, error) {
	f := &file{path: path, looked: time.Now()}
	return f, f.read()
}

// digests returns the tokens in force.
func (f *file) digests(ctx context.Context, log *slog.Logger) []digest {
	if f.mu.TryLock() {
		trouble := f.refresh()
		f.mu.Unlock()
		if trouble != "" {
			log.LogAttrs(ctx, slog.LevelError, "the file of bearer tokens cannot be used, those read before stay in force",
				slog.String("error", trouble))
		}
	}
	return *f.kept.Load()
}

// refresh reads the file if it is time and it has changed. It returns trouble that is new.
func (f *file) refresh() string {
	now := time.Now()
	if now.Sub(f.looked) < recheck {
		return ""
	}
	f.looked = now
	info, err := os.Stat(f.path)
	if err == nil && regular.Same(info, f.seen) {
		return ""
	}
	if err == nil {
		err = f.read()
	}
	before := f.trouble
	f.trouble = ""
	if err != nil {
		f.trouble = err.Error()
	}
	if f.trouble == before {
		return ""
	}
	return f.trouble
}

// read takes over what the file says, or nothing of it.
func (f *file) read() error {
	body, info, err := regular.Read(f.path, maxFile)
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
		return fmt.Errorf("bearer: File: %s holds no token", f.path)
	}
	kept, err := digests("File", tokens)
	if err != nil {
		return err
	}
	f.kept.Store(&kept)
	f.seen = info
	return nil
}
