package servicertest

import (
	"fmt"
	"slices"
	"strings"
)

// maxFindings bounds what is said about one rule: the first few tell what is wrong.
const maxFindings = 5

// Finding is one way in which a server breaks a rule.
type Finding struct {
	Rule Rule
	// Want and Got say what should have been seen, and what was.
	Want, Got string
}

// String is the finding in one line, with the rule's identifier, text and source.
func (f Finding) String() string {
	return fmt.Sprintf("%s: %s: want %s, got %s (%s)", f.Rule.ID, f.Rule.Text, f.Want, f.Got, f.Rule.Source)
}

// Verdict is what Check has found out. Every rule is in exactly one of the three.
type Verdict struct {
	// Findings about the rules that are broken, in the order of Rules; a rule may have several.
	Findings []Finding
	// Kept are the rules that were tested and found kept.
	Kept []Rule
	// Untested are the others: the target was not able to show them, was told to skip them, or broke what they build on.
	Untested []Rule
}

// Broken returns the identifiers of the broken rules, each once.
func (v *Verdict) Broken() []string {
	var ids []string
	for _, f := range v.Findings {
		ids = append(ids, f.Rule.ID)
	}
	return slices.Compact(ids)
}

// String lists the findings, one a line.
func (v *Verdict) String() string {
	lines := make([]string, len(v.Findings))
	for i, f := range v.Findings {
		lines[i] = f.String()
	}
	return strings.Join(lines, "\n")
}
