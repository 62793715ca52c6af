// Package errtext takes the text of errors: bounded, valid UTF-8, and safe against Error methods that panic.
package errtext

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// Max is the length in bytes from which a text is cut.
const Max = 4096

// Of returns the text of err, at most Max bytes and a note of the original length; "" if err is nil, and its type if its
// Error method panics. It does not call the Error method of an error that Capture returned.
func Of(err error) string {
	text, _ := take(err)
	return text
}

// Capture returns an error that wraps err and holds its text as Of returns it, so that err's Error method is called once;
// nil if err is nil, and err itself if Capture has returned it. An err with an Error method that panics is not wrapped.
func Capture(err error) error {
	if err == nil {
		return nil
	}
	if _, done := err.(*captured); done { //nolint:errorlint // The text of an error that wraps it is a different one.
		return err
	}
	text, ok := take(err)
	if !ok {
		err = nil
	}
	return &captured{text: text, cause: err}
}

func take(err error) (text string, ok bool) {
	if err == nil {
		return "", true
	}
	if c, done := err.(*captured); done { //nolint:errorlint // As in Capture.
		return c.text, true
	}
	defer func() {
		if recover() != nil {
			text, ok = fmt.Sprintf("error of type %T, whose Error method panics", err), false
		}
	}()
	return Cut(err.Error()), true
}

// Panic returns the text of a recovered value as Of returns that of an error.
func Panic(value any) string { return Cut(fmt.Sprint(value)) }

// captured is the result of Capture.
type captured struct {
	text  string
	cause error
}

func (c *captured) Error() string { return c.text }
func (c *captured) Unwrap() error { return c.cause }

// Cut returns text as valid UTF-8, cut after Max bytes with a note of its length.
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

// Valid returns text with U+FFFD in place of invalid UTF-8, which protobuf does not encode. It does not allocate if text
// is valid.
func Valid(text string) string { return strings.ToValidUTF8(text, string(utf8.RuneError)) }
