// Package errtext says what an error says, in words that fit into a log line, a message and a page: whoever answers for a
// dependency decides what its errors say, and how much.
package errtext

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// Max is how many bytes of a text are kept.
const Max = 4096

// Of is the text of err, "" if it is nil. An error whose Error panics must not take its reader with it.
func Of(err error) (text string) {
	if err == nil {
		return ""
	}
	if q, written := err.(*Quote); written { //nolint:errorlint // What wraps a quote says more.
		return q.Text
	}
	defer func() {
		if recover() != nil {
			text = fmt.Sprintf("%T", err)
		}
	}()
	return Cut(err.Error())
}

// Quote is an error whose text has been written down: it says the same for ever, and asks nobody for it.
type Quote struct {
	Text  string // as Of returned it
	Cause error
}

// Error implements error.
func (q *Quote) Error() string { return q.Text }

// Unwrap returns the error that is quoted.
func (q *Quote) Unwrap() error { return q.Cause }

// Cut is text without what is too long, and with U+FFFD in the place of what is no UTF-8.
func Cut(text string) string {
	if len(text) <= Max {
		return Valid(text)
	}
	end := Max
	for end > Max-utf8.UTFMax && !utf8.RuneStart(text[end]) {
		end--
	}
	return fmt.Sprintf("%s… (%d bytes)", Valid(text[:end]), len(text))
}

// Valid is text with U+FFFD in the place of what is no UTF-8: protobuf sends nothing else. What is valid costs no memory.
func Valid(text string) string { return strings.ToValidUTF8(text, string(utf8.RuneError)) }
