package servicer

import (
	"sync"
	"testing"
)

// The timer fires while the next read of the sources begins.
func TestStallTimerFiresDuringNextStart(t *testing.T) {
	t.Parallel()
	var timer stallTimer
	for range 1000 {
		timer.start(true, func() {})
		for range stallBeats - 1 {
			timer.beat()
		}
		var beat sync.WaitGroup
		beat.Go(timer.beat)
		timer.start(true, func() {})
		beat.Wait()
	}
	timer.stop()
}
