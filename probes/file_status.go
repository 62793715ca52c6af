package probes

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/vitals-go/vitals/checker"
	"github.com/vitals-go/vitals/internal/safefile"
	"github.com/vitals-go/vitals/servicer"
)

// FileStatus is the content of a health file.
type FileStatus struct {
	// Status is the overall status.
	Status checker.Status `json:"status"`
	// Timestamp is when the file was written, UTC.
	Timestamp time.Time `json:"timestamp"`
	// Uptime of the process at that time, in seconds.
	Uptime float64 `json:"uptime"`
	// Healthy is the result of /health, Live that of /live, Ready that of /ready.
	Healthy bool `json:"healthy"`
	Live    bool `json:"live"`
	Ready   bool `json:"ready"`
	// Phase of the process.
	Phase string `json:"phase"`
	// ExpiresAt is when the file becomes invalid, because its writer has died or hangs.
	ExpiresAt time.Time `json:"expires_at"`
}

type fileDocument struct {
	FileStatus

	// PID of the writer, in its PID namespace.
	PID int `json:"pid"`
}

// ErrInvalidFile is wrapped by every error of ReadFile.
var ErrInvalidFile = errors.New("invalid health file")

const (
	// maxFile bounds what is read of a health file, in bytes.
	maxFile = 64 << 10
	// clockTolerance is how far in the future a file may lie after the clock has been set back.
	clockTolerance = 2 * time.Second
)

// ReadFile reads the health file at path. The error wraps ErrInvalidFile, and os.ErrNotExist if there is no file. A file is
// invalid if it is missing, not a regular file, truncated, contradictory, expired or from the future.
func ReadFile(path string) (FileStatus, error) {
	body, err := readRegular(path)
	if err == nil {
		var d fileDocument
		if d, err = parseFile(body, time.Now()); err == nil {
			return d.FileStatus, nil
		}
	}
	return FileStatus{}, fmt.Errorf("probes: %w: %w", ErrInvalidFile, err)
}

// readRegular reads a regular file only: a pipe would block the reader, and a link could lead to a file of another user.
func readRegular(path string) ([]byte, error) {
	body, _, err := safefile.ReadUnlinked(path, maxFile)
	return body, err
}

func parseFile(body []byte, now time.Time) (fileDocument, error) {
	var d fileDocument
	if err := json.Unmarshal(body, &d); err != nil {
		return d, fmt.Errorf("truncated or not a health file: %w", err)
	}
	switch {
	case unknownCase(body):
		return d, errors.New("missing or misnamed fields")
	case d.contradictory():
		return d, fmt.Errorf("contradiction: status %s, phase %s, healthy %v, ready %v", d.Status, d.Phase, d.Healthy, d.Ready)
	case d.Timestamp.IsZero() || d.ExpiresAt.IsZero() || !d.ExpiresAt.After(d.Timestamp):
		return d, fmt.Errorf("timestamp %v, expires_at %v: want two times in this order", d.Timestamp, d.ExpiresAt)
	case d.Timestamp.After(now.Add(clockTolerance)):
		return d, fmt.Errorf("timestamp %v in the future", d.Timestamp.Sub(now).Round(time.Second))
	case !now.Before(d.ExpiresAt):
		return d, fmt.Errorf("expired %v ago", now.Sub(d.ExpiresAt).Round(time.Second))
	default:
		return d, nil
	}
}

// contradictory reports whether no report can have these values: healthy without a status that serves, or healthy or
// ready while draining or stopped.
func (s *FileStatus) contradictory() bool {
	leaving := s.Phase == servicer.Draining.String() || s.Phase == servicer.Stopped.String()
	return s.Healthy && !s.Status.Serves() || leaving && (s.Healthy || s.Ready)
}

// unknownCase reports whether a field differs from a known one only in case: encoding/json accepts it, other readers of
// the file see a different value.
func unknownCase(body []byte) bool {
	var fields map[string]json.RawMessage
	_ = json.Unmarshal(body, &fields) // parseFile has parsed it
	known := []string{"status", "timestamp", "uptime", "healthy", "live", "ready", "phase", "expires_at", "pid"}
	for name := range fields {
		same := func(other string) bool { return strings.EqualFold(name, other) }
		if !slices.Contains(known, name) && slices.ContainsFunc(known, same) {
			return true
		}
	}
	return false
}
