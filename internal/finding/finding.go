// Package finding holds the errors with a public text that checks return. The breaker, which does not import package checker,
// recognizes them too.
package finding

// Error is an error with a public text.
type Error struct {
	Text     string
	Cause    error // private; may be nil
	Degraded bool  // it works, but not as it should
}

func (e *Error) Error() string {
	switch {
	case e.Cause == nil:
		return e.Text
	case e.Text == "":
		return e.Cause.Error()
	default:
		return e.Text + ": " + e.Cause.Error()
	}
}

func (e *Error) Unwrap() error { return e.Cause }

// Inspect returns the public texts in the tree of err, the outermost of each branch, and whether every branch is degraded. It
// calls methods of err, which may panic.
func Inspect(err error) (texts []string, degraded bool) {
	switch x := err.(type) { //nolint:errorlint // errors.As stops at the first match, which is not all of the tree.
	case *Error:
		if x.Text != "" {
			texts = []string{x.Text}
		}
		return texts, x.Degraded
	case interface{ Unwrap() error }:
		if inner := x.Unwrap(); inner != nil {
			return Inspect(inner)
		}
	case interface{ Unwrap() []error }:
		branches := x.Unwrap()
		degraded = len(branches) > 0
		for _, branch := range branches {
			if branch == nil {
				continue
			}
			t, d := Inspect(branch)
			texts, degraded = append(texts, t...), degraded && d
		}
		return texts, degraded
	}
	return nil, false
}
