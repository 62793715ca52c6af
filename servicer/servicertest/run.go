package servicertest

import "context"

// TB is the part of testing.TB that Run needs; it keeps package testing out of programs that only use Check.
type TB interface {
	Helper()
	Context() context.Context
	Errorf(format string, args ...any)
	Fatalf(format string, args ...any)
	Logf(format string, args ...any)
}

// Run judges target and fails the test for everything that Check finds, one error for each finding. What could not be
// tested is logged.
func Run(t TB, target Target) {
	t.Helper()
	result, err := Check(t.Context(), target)
	if err != nil {
		t.Fatalf("%v", err)
		return
	}
	for _, f := range result.Violations {
		t.Errorf("%v", f)
	}
	for _, r := range result.Skipped {
		t.Logf("untested: %s: %s", r.ID, r.Text)
	}
	t.Logf("%d rules kept", len(result.Passed))
}
