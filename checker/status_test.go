package checker_test

import (
	"encoding"
	"slices"
	"testing"

	"github.com/vitals-go/vitals/checker"
)

// TestStatusAndReasonRoundTrip writes and reads back every status and reason.
func TestStatusAndReasonRoundTrip(t *testing.T) {
	check := func(in encoding.TextMarshaler, out encoding.TextUnmarshaler, want string) {
		t.Helper()
		text, err := in.MarshalText()
		if err != nil || string(text) != want {
			t.Errorf("got %q, %v, want %q", text, err, want)
		}
		if err := out.UnmarshalText(text); err != nil {
			t.Error(err)
		}
		if err := out.UnmarshalText([]byte("Healthy ")); err == nil {
			t.Error("an unknown word was accepted")
		}
	}
	for i, want := range []string{"unknown", "healthy", "warning", "critical", "status(4)"} {
		var back checker.Status
		if s := checker.Status(i); i < 4 {
			check(s, &back, want)
			if back != s {
				t.Errorf("%v came back as %v", s, back)
			}
		} else if s.String() != want {
			t.Errorf("got %q, want %q", s, want)
		}
	}
	for i, want := range []string{
		"not_run_yet", "ok", "timeout", "error", "panic", "stale", "circuit_open", "threshold", "starved", "maintenance",
		"draining", "manual", "reason(12)",
	} {
		var back checker.Reason
		if r := checker.Reason(i); i < 12 {
			check(r, &back, want)
			if back != r {
				t.Errorf("%v came back as %v", r, back)
			}
		} else if r.String() != want {
			t.Errorf("got %q, want %q", r, want)
		}
	}
	for i, want := range []string{"dependency", "resource", "process"} {
		if got := checker.Kind(i).String(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestOrderOfStatuses(t *testing.T) {
	order := []checker.Status{checker.Healthy, checker.Warning, checker.Unknown, checker.Critical}
	for i, a := range order {
		for j, b := range order {
			if a.Worse(b) != (i > j) {
				t.Errorf("%v worse than %v: %v", a, b, a.Worse(b))
			}
		}
		if serves := slices.Contains(order[:2], a); a.Serves() != serves {
			t.Errorf("%v serves: %v", a, a.Serves())
		}
	}
}
