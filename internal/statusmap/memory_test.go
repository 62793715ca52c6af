package statusmap

import (
	"strconv"
	"testing"
)

func TestNothingIsKeptForNamesThatNobodyWatchesAnyMore(t *testing.T) {
	b := New(Config[int]{Serving: 1, NotServing: 2, Unknown: 3})
	var watches []*Watch[int]
	for n := range 1000 {
		name := strconv.Itoa(n)
		watches = append(watches, b.Watch(name), b.Watch(name))
	}
	if len(b.strangers) != 1000 {
		t.Fatalf("%d unknown names are kept, want 1000", len(b.strangers))
	}
	// Half of them become known, half of those again unknown; some are drained.
	known := make(map[string]int)
	for n := range 500 {
		known[strconv.Itoa(n)] = 1
	}
	b.Publish(known)
	if len(b.strangers) != 500 {
		t.Fatalf("%d unknown names are kept after 500 became known, want 500", len(b.strangers))
	}
	for n := range 250 {
		delete(known, strconv.Itoa(n))
	}
	b.Publish(known)
	if len(b.strangers) != 750 {
		t.Fatalf("%d unknown names are kept after 250 became unknown again, want 750", len(b.strangers))
	}
	b.Drain()
	for _, w := range watches {
		w.Close()
	}
	if b.strangers != nil {
		t.Fatalf("%d unknown names are kept though nobody watches", len(b.strangers))
	}
	b.Publish(nil)
	if n := b.Len(); n != 0 || b.strangers != nil {
		t.Fatalf("%d names are known and %d kept though nobody speaks about any", n, len(b.strangers))
	}
}
