package servicertest

import (
	"fmt"
	"slices"
	"strings"
)

// maxViolations bounds what is said about one rule: the first few tell what is wrong.
const maxViolations = 5

// Violation is one way in which a server breaks a rule.
type Violation struct {
	Rule Rule
	// Want and Got say what should have been seen, and what was.
	Want, Got string
}

// String is the finding in one line, with the rule's identifier, text and source.
func (f Violation) String() string {
	return fmt.Sprintf("%s: %s: want %s, got %s (%s)", f.Rule.ID, f.Rule.Text, f.Want, f.Got, f.Rule.Source)
}

// Result is what Check has found out. Every rule is in exactly one of the three.
type Result struct {
	// Violations about the rules that are broken, in the order of Rules; a rule may have several.
	Violations []Violation
	// Passed are the rules that were tested and found kept.
	Passed []Rule
	// Skipped are the others: the target was not able to show them, was told to skip them, or broke what they build on.
	Skipped []Rule
}

// Failed returns the identifiers of the broken rules, each once.
func (v *Result) Failed() []string {
	var ids []string
	for _, f := range v.Violations {
		ids = append(ids, f.Rule.ID)
	}
	return slices.Compact(ids)
}

// String lists the findings, one a line.
func (v *Result) String() string {
	lines := make([]string, len(v.Violations))
	for i, f := range v.Violations {
		lines[i] = f.String()
	}
	return strings.Join(lines, "\n")
}
