package servicertest

import (
	"fmt"
	"slices"
	"strings"
)

// maxViolations bounds the violations of one rule.
const maxViolations = 5

// Violation is a failed test of a rule.
type Violation struct {
	Rule
	// Details is "want …, got …".
	Details string
}

// String returns the violation in one line, with the rule's ID, text and source.
func (v Violation) String() string {
	return fmt.Sprintf("%s: %s: %s (%s)", v.ID, v.Text, v.Details, v.Source)
}

// Result is the result of Check. Every rule is in exactly one of its lists.
type Result struct {
	// Violations are in the order of Rules, up to five for each failed rule.
	Violations []Violation
	Passed     []Rule
	// Skipped are the rules that need more of Target, are in Target.Skip, or depend on a failed one.
	Skipped []Rule
}

// Failed returns the IDs of the failed rules.
func (r *Result) Failed() []string {
	var ids []string
	for _, v := range r.Violations {
		ids = append(ids, v.ID)
	}
	return slices.Compact(ids)
}

// String returns the violations, one per line.
func (r *Result) String() string {
	lines := make([]string, len(r.Violations))
	for i, v := range r.Violations {
		lines[i] = v.String()
	}
	return strings.Join(lines, "\n")
}
