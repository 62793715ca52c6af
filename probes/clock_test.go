package probes_test

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/vitals-go/vitals/internal/clocktest"
	"github.com/vitals-go/vitals/probes"
	"github.com/vitals-go/vitals/servicer"
)

// clockSetter is a source that sets the wall clock back at its second report, in the goroutine of the file that reads it.
type clockSetter struct {
	*script

	file  *probes.File
	reads int
}

func (s *clockSetter) Report() *servicer.Report {
	if s.reads++; s.reads == 2 {
		clocktest.Set(s.file, -time.Hour)
	}
	return s.script.Report()
}

func TestFileIsWrittenAgainAfterClockWasSet(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "health")
	source := &clockSetter{script: newScript(healthyReport())}
	source.file = newFile(t, probes.FileConfig{Source: source, Path: path, Interval: time.Hour})
	defer running(t, source.file)()
	var first probes.FileStatus
	for deadline := time.Now().Add(time.Minute); ; {
		status, err := probes.ReadFile(path)
		switch {
		case time.Now().After(deadline):
			t.Fatalf("still the file of %v, %v", first.Timestamp, err)
		case err != nil:
		case first.Timestamp.IsZero():
			first = status
			source.publish(healthyReport()) // the same content
		case !status.Timestamp.Equal(first.Timestamp):
			return
		}
		time.Sleep(time.Millisecond)
	}
}
