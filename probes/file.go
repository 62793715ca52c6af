package probes

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"math"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/vitals-go/vitals/internal/asynclog"
	"github.com/vitals-go/vitals/internal/safefile"
	"github.com/vitals-go/vitals/internal/wallclock"
	"github.com/vitals-go/vitals/probes/internal/response"
	"github.com/vitals-go/vitals/servicer"
)

// FileConfig configures a File. The zero value of every optional field is the default.
type FileConfig struct {
	// Source of the reports. Required.
	Source servicer.ReportSource
	// Path of the file, in an existing directory in which the process may create files. A relative path is relative to the
	// working directory at the time of NewFile. Required.
	Path string
	// Interval between two writes while nothing changes. The file expires after three intervals, at least 3 s. Default
	// 30 s, at least 100 ms.
	Interval time.Duration
	// Logger receives each kind of write failure once, its end, and other processes that write the file. Default: slog.Default().
	Logger *slog.Logger
}

// File keeps a health file up to date: a small JSON document that is replaced as a whole. ReadFile reads it. Create it with
// NewFile.
type File struct {
	cfg FileConfig
	log *asynclog.Logger

	// The rest belongs to Run.
	written      []byte    // the content last written, nil before the first write
	at           time.Time // of the last write or attempt
	failure      string    // the write failure that has been logged, "" after a success
	otherWriters map[int]bool
}

const (
	// retryAfter is the pause after a failed write.
	retryAfter  = 5 * time.Second
	minInterval = 100 * time.Millisecond
	maxInterval = time.Duration(math.MaxInt64 / 8) // keeps three intervals from overflowing
	// minLifetime is longer than a process with little CPU time waits to write the file again.
	minLifetime = 3 * time.Second
)

// NewFile returns a File, or an error that joins all mistakes, such as a Path that is a folder. It does not write yet.
func NewFile(cfg FileConfig) (*File, error) {
	var errs []error
	if cfg.Source == nil {
		errs = append(errs, errors.New("probes: FileConfig.Source is required"))
	}
	switch {
	case cfg.Path == "":
		errs = append(errs, errors.New("probes: FileConfig.Path is required"))
	case strings.HasSuffix(cfg.Path, string(filepath.Separator)) || strings.ContainsRune(cfg.Path, 0) || isFolder(cfg.Path):
		errs = append(errs, fmt.Errorf("probes: FileConfig.Path: got %q, want the path of a file", cfg.Path))
	}
	cfg.Interval = cmp.Or(cfg.Interval, 30*time.Second)
	if cfg.Interval < minInterval || cfg.Interval > maxInterval {
		errs = append(errs, fmt.Errorf("probes: FileConfig.Interval: got %v, want %v to %v", cfg.Interval, minInterval, maxInterval.Truncate(time.Hour)))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	cfg.Path = safefile.Abs(cfg.Path)
	return &File{cfg: cfg, log: asynclog.New(cmp.Or(cfg.Logger, slog.Default())), otherWriters: make(map[int]bool)}, nil
}

// Run writes the file at once, at every change of its content and every interval, until ctx is done; then it removes
// the file and returns nil. Readers compare its times with their own clock: after the wall clock was set, the file may be
// invalid until the next report, at most for an interval. A failed write is repeated after five seconds. A File runs once
// at a time.
func (f *File) Run(ctx context.Context) error {
	f.sweep()
	defer f.log.Flush(asynclog.Grace)
	defer f.remove()
	var last fileDocument
	timer := time.NewTimer(0)
	defer timer.Stop()
	for due := true; ; {
		changed := f.cfg.Source.Changed()
		report := response.Latest(f.cfg.Source)
		now := time.Now()
		clockSet := wallclock.On(now, f.at) != f.at // readers take the file for expired, or for one from the future
		if status := f.document(report, time.Time{}); due || status != last || clockSet {
			last, f.at = status, now
			pause := f.cfg.Interval
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

// write replaces the file, and logs a failure that differs from the last one and the end of failures.
func (f *File) write(report *servicer.Report) error {
	f.detectOtherWriter()
	body := response.JSON(f.document(report, time.Now()))
	if err := replace(f.cfg.Path, body); err != nil {
		if failure := withoutPath(err); failure != f.failure {
			f.failure = failure
			f.logError("health file cannot be written", slog.String("error", err.Error()))
		}
		return err
	}
	f.written = body
	if f.failure != "" {
		f.failure = ""
		f.log.Log(slog.LevelInfo, "health file is written again", slog.String("path", f.cfg.Path))
	}
	return nil
}

// document is the content of the file. With a zero time it holds what does not depend on the time.
func (f *File) document(report *servicer.Report, now time.Time) fileDocument {
	d := fileDocument{PID: os.Getpid(), FileStatus: FileStatus{
		Status:  report.Overall,
		Healthy: response.Healthy(report, false),
		Live:    response.Live(report).Serving,
		Ready:   response.Ready(report).Serving,
		Phase:   report.Phase.String(),
	}}
	if now.IsZero() {
		return d
	}
	d.Timestamp = now.UTC()
	d.ExpiresAt = d.Timestamp.Add(max(3*f.cfg.Interval, minLifetime))
	d.Uptime = (&response.Rendering{Report: report, At: now}).Uptime().Seconds()
	return d
}

// replace writes body to a temporary file beside path and renames it to path: a reader sees the old content or the new
// one, and a link at path is replaced, never followed. Nothing is synced to disk: after a power failure the file is torn or
// expired.
func replace(path string, body []byte) error {
	file, err := os.CreateTemp(filepath.Dir(path), temporary(path)+"*"+temporarySuffix)
	if err != nil {
		return err
	}
	_, err = file.Write(body)
	// The probe may run as another user.
	if err = errors.Join(err, file.Chmod(0o644), file.Close()); err == nil {
		err = os.Rename(file.Name(), path)
	}
	if err != nil {
		_ = os.Remove(file.Name())
	}
	return err
}

// temporary is the prefix of the temporary files for path. It holds the process ID: a restarted container with
// the same ID finds what the last one left behind.
func temporary(path string) string {
	return fmt.Sprintf(".%s.%d.", filepath.Base(path), os.Getpid())
}

const temporarySuffix = ".tmp"

// sweep removes the temporary files of a killed process with our ID.
func (f *File) sweep() {
	dir := filepath.Dir(f.cfg.Path)
	entries, _ := os.ReadDir(dir) // an unreadable directory fails the first write as well, which logs it
	for _, entry := range entries {
		name := entry.Name()
		if strings.HasPrefix(name, temporary(f.cfg.Path)) && strings.HasSuffix(name, temporarySuffix) {
			_ = os.Remove(filepath.Join(dir, name))
		}
	}
}

// detectOtherWriter logs, once per process, that the file is a valid one which another process has written since our last
// write.
func (f *File) detectOtherWriter() {
	if f.written == nil {
		return
	}
	body, err := readRegular(f.cfg.Path)
	if err != nil || bytes.Equal(body, f.written) {
		return
	}
	d, err := parseFile(body, time.Now())
	if err != nil || f.otherWriters[d.PID] {
		return
	}
	f.otherWriters[d.PID] = true
	f.logError("health file is written by another process too",
		slog.Int("pid", os.Getpid()), slog.Int("other_pid", d.PID))
}

// remove deletes the file if it is ours.
func (f *File) remove() {
	if f.written == nil {
		return
	}
	body, err := readRegular(f.cfg.Path)
	if err == nil && !bytes.Equal(body, f.written) {
		return
	}
	if err := os.Remove(f.cfg.Path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		f.logError("health file cannot be removed", slog.String("error", err.Error()))
	}
}

func (f *File) logError(message string, attrs ...slog.Attr) {
	f.log.Log(slog.LevelError, message, append(attrs, slog.String("path", f.cfg.Path))...)
}

// withoutPath returns the system's error without the random name of a temporary file.
func withoutPath(err error) string {
	if errno, ok := errors.AsType[syscall.Errno](err); ok {
		return errno.Error()
	}
	return err.Error()
}

func isFolder(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}
