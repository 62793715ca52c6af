package probes

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/vitals-go/vitals/checker"
	"github.com/vitals-go/vitals/internal/safefile"
	"github.com/vitals-go/vitals/servicer"
)

// FileStatus is what a health file says. Status, Timestamp, Uptime and Healthy are the words that its readers have
// always known.
type FileStatus struct {
	// Status is the overall status.
	Status checker.Status `json:"status"`
	// Timestamp is when the file was written, UTC.
	Timestamp time.Time `json:"timestamp"`
	// Uptime of the process at that time, in seconds.
	Uptime float64 `json:"uptime"`
	// Healthy is the verdict of /health, Live that of /live, Ready that of /ready.
	Healthy bool `json:"healthy"`
	Live    bool `json:"live"`
	Ready   bool `json:"ready"`
	// Phase of the process.
	Phase string `json:"phase"`
	// ExpiresAt is when the file is no longer to be believed: its writer has died or hangs.
	ExpiresAt time.Time `json:"expires_at"`
	// PID of the writer, as the writer sees itself.
	PID int `json:"pid"`
}

// ErrInvalidFile is what every failure of ReadFile wraps, whether the file is missing, torn, expired or from the future.
var ErrInvalidFile = errors.New("health file cannot be believed")

const (
	// maxFile bounds what is read of a health file, in bytes.
	maxFile = 64 << 10
	// clockTolerance is how far in the future a file may lie: the clock may have been set back a little.
	clockTolerance = 2 * time.Second
)

// ReadFile reads the health file at path. The error wraps ErrInvalidFile, and os.ErrNotExist if there is no file, whenever
// the file is no proof of anything: it is missing, is not a regular file, is torn, contradicts itself, has expired, or
// comes from the future. Only without an error do the fields mean something.
func ReadFile(path string) (FileStatus, error) {
	status, err := readFile(path, time.Now())
	if err != nil {
		return FileStatus{}, fmt.Errorf("probes: %w: %w", ErrInvalidFile, err)
	}
	return status, nil
}

func readFile(path string, now time.Time) (FileStatus, error) {
	body, err := readRegular(path)
	if err != nil {
		return FileStatus{}, err
	}
	return parseFile(body, now)
}

// readRegular reads a regular file. The writer leaves nothing else: a pipe would block the reader, a link would let somebody
// else answer.
func readRegular(path string) ([]byte, error) {
	body, _, err := safefile.ReadUnlinked(path, maxFile)
	return body, err
}

// parseFile judges the content of a health file.
func parseFile(body []byte, now time.Time) (FileStatus, error) {
	var status FileStatus
	if err := json.Unmarshal(body, &status); err != nil {
		return FileStatus{}, fmt.Errorf("torn or foreign content: %w", err)
	}
	switch {
	case unknownCase(body):
		return FileStatus{}, errors.New("foreign content: its fields are not spelt as a health file's are")
	case status.contradictory():
		return FileStatus{}, fmt.Errorf("it contradicts itself: %s and %s, healthy: %v, ready: %v",
			status.Status, status.Phase, status.Healthy, status.Ready)
	case status.Timestamp.IsZero() || status.ExpiresAt.IsZero() || !status.ExpiresAt.After(status.Timestamp):
		return FileStatus{}, errors.New("its times make no sense")
	case status.Timestamp.After(now.Add(clockTolerance)):
		return FileStatus{}, fmt.Errorf("it is from the future: %v", status.Timestamp.Sub(now).Round(time.Second))
	case !now.Before(status.ExpiresAt):
		return FileStatus{}, fmt.Errorf("it expired %v ago", now.Sub(status.ExpiresAt).Round(time.Second))
	default:
		return status, nil
	}
}

// contradictory reports whether the verdicts cannot come from one report: nothing is healthy whose status is not, and
// no traffic may come to a process on its way out.
func (s *FileStatus) contradictory() bool {
	leaving := s.Phase == servicer.Draining.String() || s.Phase == servicer.Stopped.String()
	return s.Healthy && !s.Status.Serves() || leaving && (s.Healthy || s.Ready)
}

// unknownCase reports whether body has a field that only our JSON decoder takes for one of a health file: it does not tell
// upper case from lower case, and others who read the file would see another verdict.
func unknownCase(body []byte) bool {
	var fields map[string]json.RawMessage
	if json.Unmarshal(body, &fields) != nil {
		return true
	}
	for name := range fields {
		for _, known := range [...]string{
			"status", "timestamp", "uptime", "healthy", "live", "ready", "phase", "expires_at", "pid",
		} {
			if name != known && strings.EqualFold(name, known) {
				return true
			}
		}
	}
	return false
}
