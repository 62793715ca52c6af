package logtest_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/vitals-go/vitals/internal/logtest"
)

func TestConcurrentWritesAndReads(t *testing.T) {
	var log logtest.Log
	var writers sync.WaitGroup
	for range 4 {
		writers.Go(func() {
			for range 100 {
				fmt.Fprintln(&log, "a line")
			}
		})
	}
	for strings.Count(log.String(), "a line\n") < 400 { // whole lines, however often it is read meanwhile
		if text := log.String(); text != "" && !strings.HasSuffix(text, "\n") {
			t.Fatalf("torn: %q", text)
		}
	}
	writers.Wait()
}
