package servicer

import (
	"slices"

	"github.com/vitals-go/vitals/checker"
)

// startup remembers how far the process has come. Once it is over it stays over.
type startup struct {
	over   bool
	passed map[string]bool // checks that gate start-up and have been healthy or warning once
}

// observe takes in the newest results and reports whether start-up is over: every check that gates readiness or
// startup has a result, and every check that gates startup has passed once, not necessarily all at the same time.
func (s *startup) observe(checks []*checker.Result) bool {
	if s.over {
		return true
	}
	over := true
	for _, c := range checks {
		if c.Optional {
			continue
		}
		if slices.Contains(c.Gates, checker.Startup) && !s.pass(c) {
			over = false
		}
		if slices.Contains(c.Gates, checker.Readiness) && c.Reason == checker.ReasonNotRunYet {
			over = false
		}
	}
	if over {
		s.over, s.passed = true, nil
	}
	return s.over
}

func (s *startup) pass(c *checker.Result) bool {
	if s.passed[c.Name] {
		return true
	}
	if !c.Status.Serves() {
		return false
	}
	if s.passed == nil {
		s.passed = make(map[string]bool)
	}
	s.passed[c.Name] = true
	return true
}
