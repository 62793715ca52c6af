package statusmap_test

import (
	"strconv"
	"sync"
	"testing"

	"github.com/vitals-go/vitals/internal/statusmap"
)

// changed reports whether there is something newer than the watch has seen.
func changed(w *statusmap.Watch[status]) bool {
	left := make(chan struct{})
	close(left)
	return w.Wait(left)
}

func TestWatchFollowsNameThroughUnknownAndBack(t *testing.T) {
	b := newMap()
	w := b.Watch("a")
	defer w.Close()
	expect := func(step string, wanted status) {
		t.Helper()
		if got, _ := w.Status(); got != wanted {
			t.Fatalf("%s: the watch sees %v, want %v", step, got, wanted)
		}
	}
	expect("at first", unknown)
	b.Set("a", serving)
	expect("set", serving)
	b.Delete("a")
	expect("deleted", unknown)
	b.Set("a", notServing)
	expect("set again", notServing)
	want(t, b, "a", notServing)
}

func TestWatchIgnoresEqualStatus(t *testing.T) {
	b := newMap()
	b.Set("a", serving)
	w := b.Watch("a")
	defer w.Close()
	w.Status()

	b.Set("a", serving)
	b.Set("other", notServing)
	b.Set("a", notServing)
	b.Set("a", serving)
	if changed(w) {
		t.Fatal("watch is woken although its status is what it was")
	}
	b.Set("a", notServing)
	if !changed(w) {
		t.Fatal("watch is not woken by a change")
	}
}

func TestClosingOneWatchKeepsTheOthers(t *testing.T) {
	b := newMap()
	first, second := b.Watch("a"), b.Watch("a")
	second.Status()
	first.Close()
	b.Set("a", serving)
	if !changed(second) {
		t.Error("the other watch is not woken after the first was closed")
	}
	if got, _ := second.Status(); got != serving {
		t.Errorf("the other watch sees %v after the first was closed", got)
	}
	second.Close()
	want(t, b, "a", serving)
}

func TestEndReachesPresentAndFutureWatches(t *testing.T) {
	b := newMap()
	b.Set("a", serving)
	present, absent := b.Watch("a"), b.Watch("absent")
	present.Status()
	absent.Status()
	select {
	case <-b.Ended():
		t.Fatal("a new map has ended")
	default:
	}
	b.End()
	if !changed(present) || !changed(absent) {
		t.Fatal("End does not wake the watches")
	}
	<-b.Ended()
	b.End()
	b.Set("a", notServing)
	b.Set("absent", serving)
	late := b.Watch("late")
	for i, w := range []*statusmap.Watch[status]{present, absent, late} {
		wanted := []status{notServing, serving, unknown}[i]
		if got, last := w.Status(); got != wanted || !last {
			t.Errorf("after the end watch %d sees %v, the last: %v; want %v, the last", i, got, last, wanted)
		}
		w.Close()
	}
}

func TestConcurrentWritersReadersAndWatches(t *testing.T) {
	b := newMap()
	names := []string{"a", "b", "c", "alive"}
	var wg sync.WaitGroup
	for i, name := range names {
		wg.Go(func() {
			for n := range 500 {
				b.Set(name, []status{serving, notServing}[n%2])
				b.Delete(names[(i+n)%4])
			}
		})
		wg.Go(func() {
			for range 500 {
				b.Lookup(name)
				for range b.All() {
				}
				b.Len()
			}
		})
		wg.Go(func() {
			for n := range 500 {
				w := b.Watch([]string{name, strconv.Itoa(n)}[n%2])
				w.Status()
				w.Close()
			}
		})
	}
	wg.Wait()
	// Whatever the order was, lookups and watches agree.
	for _, name := range names {
		got, known := b.Lookup(name)
		if !known {
			got = unknown
		}
		want(t, b, name, got)
	}
}

func TestWatchSeesLastStatusAfterManyChanges(t *testing.T) {
	b := newMap()
	var watches sync.WaitGroup
	for range 50 {
		w := b.Watch("a")
		watches.Go(func() {
			defer w.Close()
			for {
				if got, _ := w.Status(); got == odd {
					return
				}
				w.Wait(nil)
			}
		})
	}
	for n := range 1000 {
		b.Set("a", []status{serving, notServing}[n%2])
	}
	b.Set("a", odd)
	watches.Wait() // hangs if one of them missed the last state
}

var sink *statusmap.Watch[status]

func BenchmarkWatchAndClose(b *testing.B) {
	board := newMap()
	b.ReportAllocs()
	for b.Loop() {
		sink = board.Watch("absent")
		sink.Close()
	}
}
