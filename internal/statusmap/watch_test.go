package statusmap_test

import (
	"strconv"
	"sync"
	"testing"

	"github.com/vitals-go/vitals/internal/statusmap"
)

// told reports whether there is more for the watch to see than it has.
func told(w *statusmap.Watch[state]) bool {
	left := make(chan struct{})
	close(left)
	return w.Wait(left)
}

func TestAWatchFollowsItsNameThroughUnknownAndBack(t *testing.T) {
	b := newBoard()
	w := b.Watch("a")
	defer w.Close()
	expect := func(step string, wanted state) {
		t.Helper()
		if got, _ := w.State(); got != wanted {
			t.Fatalf("%s: the watch sees %v, want %v", step, got, wanted)
		}
	}
	expect("at first", unknown)
	b.Publish(map[string]state{"a": serving})
	expect("the name appears", serving)
	b.Publish(nil)
	expect("it goes", unknown)
	b.Set("a", notServing)
	expect("it comes back by the application", notServing)
	want(t, b, "a", notServing)
}

func TestOnlyAChangeIsTold(t *testing.T) {
	b := newBoard()
	b.Set("a", serving)
	w := b.Watch("a")
	defer w.Close()
	w.State()

	b.Set("a", serving)
	b.Set("other", notServing)
	b.Publish(map[string]state{"a": serving, "third": serving})
	if told(w) {
		t.Fatal("a watch is told, though its name's state is what it was")
	}
	b.Publish(map[string]state{"a": notServing})
	if !told(w) {
		t.Fatal("a watch is not told of a change")
	}
}

func TestAWatchDoesNotNeedTheOthers(t *testing.T) {
	b := newBoard()
	first, second := b.Watch("a"), b.Watch("a")
	second.State()
	first.Close()
	b.Set("a", serving)
	if !told(second) {
		t.Error("the other watch is not told after the first was closed")
	}
	if got, _ := second.State(); got != serving {
		t.Errorf("the other watch sees %v after the first was closed", got)
	}
	second.Close()
	want(t, b, "a", serving)
}

func TestEndReachesPresentAndFutureWatches(t *testing.T) {
	b := newBoard()
	b.Set("a", serving)
	present, stranger := b.Watch("a"), b.Watch("stranger")
	present.State()
	stranger.State()
	select {
	case <-b.Ended():
		t.Fatal("a new board has ended")
	default:
	}
	b.End()
	if !told(present) || !told(stranger) {
		t.Fatal("End does not tell the watches")
	}
	<-b.Ended()
	b.End()
	b.Set("a", notServing)
	b.Set("stranger", serving)
	late := b.Watch("late")
	for i, w := range []*statusmap.Watch[state]{present, stranger, late} {
		wanted := []state{notServing, serving, unknown}[i]
		if got, last := w.State(); got != wanted || !last {
			t.Errorf("after the end watch %d sees %v, the last: %v; want %v, the last", i, got, last, wanted)
		}
		w.Close()
	}
}

func TestConcurrentWritersReadersAndWatches(t *testing.T) {
	b := newBoard()
	names := []string{"a", "b", "c", "alive"}
	var wg sync.WaitGroup
	for i, name := range names {
		wg.Go(func() {
			for n := range 500 {
				b.Set(name, []state{serving, notServing}[n%2])
				b.Publish(map[string]state{names[(i+n)%4]: serving, names[(i+n+1)%4]: notServing})
			}
		})
		wg.Go(func() {
			for range 500 {
				b.Lookup(name)
				for range b.All() {
					b.Len()
				}
			}
		})
		wg.Go(func() {
			for n := range 500 {
				w := b.Watch([]string{name, strconv.Itoa(n)}[n%2])
				w.State()
				w.Close()
			}
		})
	}
	wg.Wait()
	// Whatever the order was: what readers see is what a watch sees.
	for _, name := range names {
		state, _ := b.Lookup(name)
		want(t, b, name, state)
	}
}

func TestAWatchMissesNothingThatLasts(t *testing.T) {
	b := newBoard()
	var watches sync.WaitGroup
	for range 50 {
		w := b.Watch("a")
		watches.Go(func() {
			defer w.Close()
			for {
				if state, _ := w.State(); state == odd {
					return
				}
				w.Wait(nil)
			}
		})
	}
	for n := range 1000 {
		b.Set("a", []state{serving, notServing}[n%2])
	}
	b.Set("a", odd)
	watches.Wait() // hangs if one of them missed the last state
}

var sink *statusmap.Watch[state]

func BenchmarkWatchAndClose(b *testing.B) {
	board := newBoard()
	b.ReportAllocs()
	for b.Loop() {
		sink = board.Watch("stranger")
		sink.Close()
	}
}
