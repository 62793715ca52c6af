package board_test

import (
	"strconv"
	"sync"
	"testing"

	"github.com/vitals-go/vitals/internal/board"
)

// told reports whether the channel is closed.
func told(next <-chan struct{}) bool {
	select {
	case <-next:
		return true
	default:
		return false
	}
}

func TestAWatchFollowsItsNameThroughUnknownAndBack(t *testing.T) {
	b := newBoard()
	w := b.Watch("a")
	defer w.Close()
	expect := func(step string, wanted state) {
		t.Helper()
		if got, _ := w.Next(); got != wanted {
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
	_, next := w.Next()

	b.Set("a", serving)
	b.Set("other", notServing)
	b.Publish(map[string]state{"a": serving, "third": serving})
	if told(next) {
		t.Fatal("a watch is told, though its name's state is what it was")
	}
	b.Publish(map[string]state{"a": notServing})
	if !told(next) {
		t.Fatal("a watch is not told of a change")
	}
}

func TestAllWatchesOfANameShareOneEdition(t *testing.T) {
	b := newBoard()
	first, second := b.Watch("a"), b.Watch("a")
	_, one := first.Next()
	_, two := second.Next()
	if one != two {
		t.Error("two watches of one unknown name wait for different channels")
	}
	first.Close()
	b.Set("a", serving)
	if got, _ := second.Next(); got != serving {
		t.Errorf("the other watch sees %v after the first was closed", got)
	}
	second.Close()
	want(t, b, "a", serving)
}

func TestEndReachesPresentAndFutureWatches(t *testing.T) {
	b := newBoard()
	b.Set("a", serving)
	present, stranger := b.Watch("a"), b.Watch("stranger")
	_, next := present.Next()
	_, other := stranger.Next()
	if told(b.Ended()) {
		t.Fatal("a new board has ended")
	}
	b.End()
	if !told(next) || !told(other) || !told(b.Ended()) {
		t.Fatal("End does not tell the watches")
	}
	b.End()
	b.Set("a", notServing)
	b.Set("stranger", serving)
	late := b.Watch("late")
	for i, w := range []board.Watch[state]{present, stranger, late} {
		wanted := []state{notServing, serving, unknown}[i]
		if got, next := w.Next(); got != wanted || next != nil {
			t.Errorf("after the end watch %d sees %v and waits %v, want %v and no wait", i, got, next != nil, wanted)
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
				w.Next()
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
				state, next := w.Next()
				if state == odd {
					return
				}
				<-next
			}
		})
	}
	for n := range 1000 {
		b.Set("a", []state{serving, notServing}[n%2])
	}
	b.Set("a", odd)
	watches.Wait() // hangs if one of them missed the last state
}

var sink board.Watch[state]

func BenchmarkWatchAndClose(b *testing.B) {
	board := newBoard()
	b.ReportAllocs()
	for b.Loop() {
		sink = board.Watch("stranger")
		sink.Close()
	}
}
