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

// Run writes the file at once, at every change of what it says and every interval, until ctx is done; then it removes the
// file and returns nil. A failed write is repeated after five seconds. A File runs once at a time.
func (f *File) Run(ctx context.Context) error {
	f.sweep()
	defer f.remove()
	var last FileStatus
	timer := time.NewTimer(0)
	defer timer.Stop()
	for due := true; ; {
		changed := f.config.Source.Changed()
		report := f.report()
		if status := f.status(report, time.Time{}); due || status != last {
			last = status
			pause := f.config.Interval
			if f.write(report) != nil {
				pause = min(retryAfter, pause)
			}
			timer.Reset(pause)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-changed:
			due = false
		case <-timer.C:
			due = true
		}
	}
}

// report returns the newest report, an empty one if there is none.
func (f *File) report() *servicer.Report {
	if report := f.config.Source.Report(); report != nil {
		return report
	}
	return &servicer.Report{}
}

// write replaces the file and logs each new kind of failure once, and its end.
func (f *File) write(report *servicer.Report) error {
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
