package checker

import (
	"strings"
	"unicode"

	"github.com/vitals-go/vitals/internal/errtext"
	"github.com/vitals-go/vitals/internal/finding"
)

// Degraded returns an error for what works, but not as it should: the check is a warning with the reason degraded, serves,
// and counts as a success. Text says publicly what is wrong; the cause, which may be nil, is as private as other errors.
// Text is part of the message: one line, at most 512 bytes. The error may be wrapped. Of errors that are joined, all must be
// degraded, or it is a failure.
func Degraded(text string, cause error) error {
	return &finding.Error{Text: text, Cause: cause, Degraded: true}
}

// Failed returns an error for a failure that has a public text, as Degraded has, besides its private cause, which may be nil.
// The cause counts as it does alone: an open circuit breaker, ErrInconclusive or a timeout remains one.
func Failed(text string, cause error) error { return &finding.Error{Text: text, Cause: cause} }

// maxText bounds a public text, in bytes: it is part of every report.
const maxText = 512

// publicText joins texts to one printable line of at most maxText bytes.
func publicText(texts []string) string {
	line := strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == '\u2028' || r == '\u2029' {
			return ' '
		}
		return r
	}, errtext.Valid(strings.Join(texts, "; ")))
	if len(line) > maxText {
		line = strings.ToValidUTF8(line[:maxText-len("…")], "") + "…"
	}
	return strings.TrimSpace(line)
}
