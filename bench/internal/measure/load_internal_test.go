package measure

import (
	"testing"
	"time"
)

func TestParseStat(t *testing.T) {
	busy, processors := parseStat("cpu  100 20 30 4000 5 6 7 8 9 10\ncpu0 50 10 15 2000 2 3 3 4 4 5\ncpu1 50 10 15 2000 3 3 4 4 5 5\nintr 12 0 0 0 0 0 0 0 0\n")
	if want := (100 + 20 + 30 + 6 + 7 + 8) * 10 * time.Millisecond; busy != want || processors != 2 {
		t.Errorf("got %v on %d processors, want %v on 2", busy, processors, want)
	}
	if busy, processors := parseStat(""); busy != 0 || processors != 0 {
		t.Errorf("an empty file gives %v on %d processors, want nothing", busy, processors)
	}
}

func TestOthersIsAShare(t *testing.T) {
	load := Load{at: time.Now().Add(-time.Hour), own: 100 * time.Hour} // the rest of the machine was busy for longer than it existed
	if got := load.Others(); got < 0 || got > 1 {
		t.Errorf("others used a share of %v, want 0 to 1", got)
	}
}
