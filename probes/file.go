package probes

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/vitals-go/vitals/servicer"
)

// FileConfig says where the health file is and how often it is written. The zero value of every optional field is
// the default.
type FileConfig struct {
	// Health is whose verdict is written. Required.
	Source servicer.ReportSource
	// Path of the file, in a folder that exists and that the process may write to. Required.
	Path string
	// Interval between two writes when nothing changes. A file that is older than three intervals has expired.
	// Default 30 s.
	Interval time.Duration
	// Logger hears, once for each cause, that the file cannot be written or that somebody else writes it too.
	// Default: discard.
	Logger *slog.Logger
}

// File keeps a health file up to date: a small JSON document, a FileStatus, that is replaced as a whole. Create it
// with NewFile.
type File struct {
	config FileConfig
	log    *slog.Logger

	// The rest belongs to Run.
	written      []byte // what the file should hold, nil before the first write
	trouble      string // the failure that has been logged, "" while all is well
	otherWriters map[int]bool
}

// retryAfter is the pause after a failed write.
const retryAfter = 5 * time.Second

// NewFile returns a File, or an error that names every mistake in the configuration. It touches nothing yet.
func NewFile(config FileConfig) (*File, error) {
	var errs []error
	if config.Source == nil {
		errs = append(errs, errors.New("probes: FileConfig.Health is required"))
	}
	switch {
	case config.Path == "":
		errs = append(errs, errors.New("probes: FileConfig.Path is required"))
	case strings.HasSuffix(config.Path, string(filepath.Separator)):
		errs = append(errs, fmt.Errorf("probes: FileConfig.Path %q names a folder", config.Path))
	case strings.ContainsRune(config.Path, 0):
		errs = append(errs, fmt.Errorf("probes: FileConfig.Path %q holds a zero byte", config.Path))
	}
	if config.Interval < 0 {
		errs = append(errs, fmt.Errorf("probes: FileConfig.Interval is negative: %v", config.Interval))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	config.Interval = cmp.Or(config.Interval, 30*time.Second)
	if config.Logger == nil {
		config.Logger = slog.New(slog.DiscardHandler)
	}
	return &File{config: config, log: config.Logger, otherWriters: make(map[int]bool)}, nil
}

// Run writes the file at once, at every change of the verdict and every interval, until ctx ends; then it removes the
// file and returns nil. A failed write is tried again after five seconds. A File runs once at a time.
func (f *File) Run(ctx context.Context) error {
	f.sweep()
	ctx, cancel := context.WithCancel(ctx)
	changed := make(chan struct{}, 1)
	var following sync.WaitGroup
	following.Go(func() { f.follow(ctx, changed) })
	defer f.remove()
	defer following.Wait()
	defer cancel()

	timer := time.NewTimer(f.config.Interval)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-changed:
		case <-timer.C:
		}
		pause := f.config.Interval
		if err := f.write(); err != nil {
			pause = min(retryAfter, pause)
		}
		timer.Reset(pause)
	}
}

// follow tells of editions that change what the file says beside its times.
func (f *File) follow(ctx context.Context, changed chan<- struct{}) {
	var last FileStatus
	for report := range servicer.Changes(ctx, f.config.Source) {
		if report == nil {
			report = &servicer.Report{}
		}
		status := f.status(report, time.Time{})
		if status == last {
			continue
		}
		last = status
		select {
		case changed <- struct{}{}:
		default: // nothing has been written since the last one
		}
	}
}

// write puts the newest edition into the file, and logs what is new about its troubles.
func (f *File) write() error {
	report := f.config.Source.Report()
	if report == nil {
		report = &servicer.Report{}
	}
	f.detectOtherWriter()
	body := encode(f.status(report, time.Now()))
	err := replace(f.config.Path, body)
	ctx := context.Background()
	switch {
	case err == nil && f.trouble != "":
		f.trouble = ""
		f.log.LogAttrs(ctx, slog.LevelInfo, "health file is written again", slog.String("path", f.config.Path))
	case err != nil && cause(err) != f.trouble:
		f.trouble = cause(err)
		f.log.LogAttrs(ctx, slog.LevelError, "health file cannot be written",
			slog.String("path", f.config.Path), slog.String("error", err.Error()))
	}
	if err == nil {
		f.written = body
	}
	return err
}

// status is what the file says. Without a time it holds the verdict only.
func (f *File) status(report *servicer.Report, now time.Time) FileStatus {
	s := FileStatus{
		Status:  report.Overall,
		Healthy: healthy(report, false),
		Live:    live(report).serving,
		Ready:   ready(report).serving,
		Phase:   report.Phase.String(),
		PID:     os.Getpid(),
	}
	if now.IsZero() {
		return s
	}
	s.Timestamp = now.UTC()
	s.ExpiresAt = s.Timestamp.Add(3 * f.config.Interval)
	if !report.Started.IsZero() {
		s.Uptime = max(now.Sub(report.Started), 0).Seconds()
	}
	return s
}
