package resource

import (
	"runtime"
	"testing"
)

func TestGarbageCollectionIsMeasuredSinceTheLastRun(t *testing.T) {
	m := newGCMeter()
	first := m.base
	runtime.GC() // updates the runtime's CPU times
	if _, err := m.measure(t.Context()); err != nil || m.base.total <= first.total {
		t.Errorf("got %v, the next measurement begins at %v, want after %v", err, m.base, first)
	}
}
