package statusmap_test

import (
	"maps"
	"testing"

	"github.com/vitals-go/vitals/internal/statusmap"
)

type state string

const (
	serving    state = "serving"
	notServing state = "not serving"
	unknown    state = "unknown"
	odd        state = "odd" // a state that means nothing to the board
)

func newBoard() *statusmap.Map[state] {
	return statusmap.New(statusmap.Config[state]{Serving: serving, NotServing: notServing, Unknown: unknown, Exempt: "alive"})
}

func want(t *testing.T, b *statusmap.Map[state], name string, wanted state) {
	t.Helper()
	if got, known := b.Lookup(name); got != wanted || known != (wanted != unknown) {
		t.Errorf("Lookup(%q) = %v, %v; want %v, %v", name, got, known, wanted, wanted != unknown)
	}
	w := b.Watch(name)
	defer w.Close()
	if got, _ := w.State(); got != wanted {
		t.Errorf("a watch of %q sees %v, want %v", name, got, wanted)
	}
}

func TestANameServesOnlyIfJudgeAndApplicationAgree(t *testing.T) {
	for _, tt := range []struct {
		name         string
		judged, word state // empty: not given
		want         state
	}{
		{"nobody has spoken", "", "", unknown},
		{"only the judge: serving", serving, "", serving},
		{"only the judge: not serving", notServing, "", notServing},
		{"only the application: serving", "", serving, serving},
		{"only the application: not serving", "", notServing, notServing},
		{"only the application: odd", "", odd, odd},
		{"both serve", serving, serving, serving},
		{"the application refuses", serving, notServing, notServing},
		{"the judge refuses", notServing, serving, notServing},
		{"both refuse", notServing, notServing, notServing},
		{"the application is odd", serving, odd, odd},
		{"the judge is odd", odd, serving, odd},
		{"the judge refuses an odd word", notServing, odd, notServing},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, judgeFirst := range []bool{true, false} {
				b := newBoard()
				publish := func() {
					if tt.judged != "" {
						b.Publish(map[string]state{"a": tt.judged})
					}
				}
				if judgeFirst {
					publish()
				}
				if tt.word != "" {
					b.Set("a", tt.word)
				}
				if !judgeFirst {
					publish()
				}
				want(t, b, "a", tt.want)
			}
		})
	}
}

func TestNamesThatTheJudgeLeavesOut(t *testing.T) {
	b := newBoard()
	b.Set("app", serving)
	b.Publish(map[string]state{"app": notServing, "gone": serving, "stays": serving})
	want(t, b, "app", notServing)
	want(t, b, "gone", serving)

	b.Publish(map[string]state{"stays": serving})
	want(t, b, "app", serving)
	want(t, b, "gone", unknown)
	want(t, b, "stays", serving)
	if b.Len() != 2 {
		t.Errorf("%d names are known, want app and stays", b.Len())
	}
	if got, wanted := maps.Collect(b.All()), map[string]state{"app": serving, "stays": serving}; !maps.Equal(got, wanted) {
		t.Errorf("All yields %v, want %v", got, wanted)
	}
}

func TestShutAndOpen(t *testing.T) {
	b := newBoard()
	b.Set("set", notServing)
	b.Publish(map[string]state{"judged": serving, "bad": notServing, "alive": serving})
	stranger := b.Watch("stranger")
	defer stranger.Close()
	stranger.State()

	b.Shut()
	for _, name := range []string{"set", "judged", "bad"} {
		want(t, b, name, notServing)
	}
	want(t, b, "alive", serving)
	want(t, b, "stranger", unknown)
	if told(stranger) {
		t.Error("the watch of an unknown name was told of Shut")
	}
	if b.Set("set", serving) || b.Set("new", serving) {
		t.Error("the application's word is taken after Shut")
	}
	want(t, b, "new", unknown)
	b.Publish(map[string]state{"judged": serving, "late": serving, "alive": notServing})
	want(t, b, "late", notServing)
	want(t, b, "alive", notServing)

	b.Open()
	want(t, b, "set", serving)
	want(t, b, "judged", serving)
	want(t, b, "late", serving)
	want(t, b, "alive", notServing)
	if word, given := b.Word("set"); word != serving || !given {
		t.Errorf("Open leaves the word %v, %v; want serving", word, given)
	}
	if _, given := b.Word("judged"); given {
		t.Error("Open puts words into the application's mouth")
	}
}

func TestDrainIsForGoodAndSparesTheExempt(t *testing.T) {
	b := newBoard()
	b.Set("set", serving)
	b.Publish(map[string]state{"judged": serving, "alive": serving})
	stranger := b.Watch("stranger")
	defer stranger.Close()
	stranger.State()

	b.Drain()
	if !told(stranger) {
		t.Error("the watch of an unknown name is not told of the drain")
	}
	if got, _ := stranger.State(); got != notServing {
		t.Errorf("the watch of an unknown name is told %v, want not serving", got)
	}
	if _, known := b.Lookup("stranger"); known {
		t.Error("draining makes unknown names known")
	}
	b.Open()
	b.Set("set", serving)
	b.Publish(map[string]state{"judged": serving, "alive": serving, "new": serving})
	for _, name := range []string{"set", "judged", "new"} {
		want(t, b, name, notServing)
	}
	want(t, b, "alive", serving)
	late := b.Watch("late stranger")
	defer late.Close()
	if got, _ := late.State(); got != notServing {
		t.Errorf("a watch opened while draining sees %v, want not serving", got)
	}
}

func TestAnExemptNameThatNobodyJudgesIsDrained(t *testing.T) {
	b := newBoard()
	b.Set("alive", serving)
	b.Drain()
	want(t, b, "alive", notServing)
}
