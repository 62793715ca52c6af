package checker_test

import (
	"encoding"
	"fmt"
	"slices"
	"testing"

	"github.com/vitals-go/vitals/checker"
)

func TestTextOfStatusesReasonsAndKinds(t *testing.T) {
	check := func(value interface {
		encoding.TextMarshaler
		fmt.Stringer
	}, want string,
	) {
		t.Helper()
		text, err := value.MarshalText()
		if err != nil || string(text) != want || value.String() != want {
			t.Errorf("got %q (%q), %v, want %q", text, value.String(), err, want)
		}
	}
	for i, want := range []string{"unknown", "healthy", "warning", "critical", "status(4)"} {
		s, back := checker.Status(i), checker.Status(100)
		check(s, want)
		if err := back.UnmarshalText([]byte(want)); i < 4 && (err != nil || back != s) || i == 4 && err == nil {
			t.Errorf("%v came back as %v, %v", s, back, err)
		}
	}
	if err := new(checker.Status).UnmarshalText([]byte("Healthy ")); err == nil {
		t.Error("an unknown word was accepted")
	}
	for i, want := range []string{
		"not_run_yet", "ok", "timeout", "error", "panic", "stale", "circuit_open", "threshold", "degraded", "starved",
		"maintenance", "standby", "draining", "manual", "reason(14)",
	} {
		check(checker.Reason(i), want)
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
