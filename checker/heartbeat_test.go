package checker_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/vitals-go/vitals/checker"
)

func TestHeartbeat(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := checker.NewHeartbeat(time.Second)
		alive := func(want bool) {
			t.Helper()
			if err := h.Run(t.Context()); (err == nil) != want {
				t.Fatalf("alive should be %v, got %v", want, err)
			}
		}
		alive(true)
		time.Sleep(time.Second)
		alive(true)
		time.Sleep(time.Nanosecond)
		alive(false)
		h.Beat()
		alive(true)
		time.Sleep(2 * time.Second)
		alive(false)

		h = checker.NewHeartbeat(0)
		time.Sleep(30 * time.Second)
		alive(true)
		time.Sleep(time.Nanosecond)
		alive(false)
	})
}

func TestBeatDoesNotAllocate(t *testing.T) {
	h := checker.NewHeartbeat(time.Second)
	if n := testing.AllocsPerRun(100, h.Beat); n != 0 {
		t.Fatalf("Beat allocates %v times", n)
	}
}
