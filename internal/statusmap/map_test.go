package statusmap_test

import (
	"maps"
	"strconv"
	"testing"

	"github.com/vitals-go/vitals/internal/statusmap"
)

type status string

const (
	serving    status = "serving"
	notServing status = "not serving"
	unknown    status = "unknown"
	odd        status = "odd"
)

func newMap() *statusmap.Map[status] { return statusmap.New(unknown) }

// want expects Lookup and a new watch to agree on wanted; unknown means that the name is not in the map.
func want(t *testing.T, m *statusmap.Map[status], name string, wanted status) {
	t.Helper()
	if got, known := m.Lookup(name); known != (wanted != unknown) || known && got != wanted {
		t.Errorf("Lookup(%q) = %v, %v; want %v, %v", name, got, known, wanted, wanted != unknown)
	}
	w := m.Watch(name)
	defer w.Close()
	if got, _ := w.Status(); got != wanted {
		t.Errorf("watch of %q sees %v, want %v", name, got, wanted)
	}
}

func TestSetAndDelete(t *testing.T) {
	m := newMap()
	want(t, m, "a", unknown)
	m.Set("a", serving)
	m.Set("b", odd)
	want(t, m, "a", serving)
	m.Set("a", notServing)
	want(t, m, "a", notServing)
	m.Delete("a")
	m.Delete("a")
	m.Delete("never set")
	want(t, m, "a", unknown)
	if got := maps.Collect(m.All()); m.Len() != 1 || !maps.Equal(got, map[string]status{"b": odd}) {
		t.Errorf("All yields %v, Len is %d; want only b", got, m.Len())
	}
	m.Set("a", serving)
	want(t, m, "a", serving)
}

// TestLookupAgreesWithSetThroughEveryCopy adds, deletes and looks up so many names that the copy for lookups is made
// many times, complete and incomplete.
func TestLookupAgreesWithSetThroughEveryCopy(t *testing.T) {
	m := newMap()
	expected := make(map[string]status)
	for n := range 3000 {
		name := strconv.Itoa(n * 7919 % 500)
		switch n % 5 {
		case 0, 1:
			m.Set(name, serving)
			expected[name] = serving
		case 2:
			m.Set(name, notServing)
			expected[name] = notServing
		case 3:
			m.Delete(name)
			delete(expected, name)
		}
		for _, name := range []string{name, strconv.Itoa(n % 500)} {
			got, known := m.Lookup(name)
			if wanted, there := expected[name]; known != there || got != wanted {
				t.Fatalf("step %d: Lookup(%s) = %q, %v; want %q, %v", n, name, got, known, wanted, there)
			}
		}
	}
	if got := maps.Collect(m.All()); !maps.Equal(got, expected) || m.Len() != len(expected) {
		t.Errorf("All yields %d names, Len is %d, want %d", len(got), m.Len(), len(expected))
	}
}

func TestSetUnknownReachesWatchesOfUnknownNamesOnly(t *testing.T) {
	m := newMap()
	m.Set("known", serving)
	known, absent := m.Watch("known"), m.Watch("absent")
	defer known.Close()
	defer absent.Close()
	known.Status()
	absent.Status()
	m.SetUnknown(notServing)
	if changed(known) || !changed(absent) {
		t.Fatalf("known has changed: %v, absent: %v; want false, true", changed(known), changed(absent))
	}
	if got, _ := absent.Status(); got != notServing {
		t.Errorf("watch of an unknown name sees %v, want %v", got, notServing)
	}
	if _, found := m.Lookup("absent"); found {
		t.Error("SetUnknown makes unknown names known")
	}
	late := m.Watch("late")
	defer late.Close()
	if got, _ := late.Status(); got != notServing {
		t.Errorf("late watch sees %v, want %v", got, notServing)
	}
}
