package errtext_test

import (
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/vitals-go/vitals/internal/errtext"
)

type rude struct{}

func (rude) Error() string { panic("no") }

func TestOf(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		err  error
		want string
	}{
		"nothing":  {nil, ""},
		"plain":    {errors.New("refused"), "refused"},
		"no UTF-8": {errors.New("a\xff\xfeb"), "a\uFFFDb"},
		"panics":   {rude{}, "error of type errtext_test.rude, whose Error method panics"},
		"longest":  {errors.New(strings.Repeat("x", 4096)), strings.Repeat("x", 4096)},
		"longer":   {errors.New(strings.Repeat("x", 4097)), strings.Repeat("x", 4096) + "… (4097 bytes)"},
	} {
		if got := errtext.Of(tt.err); got != tt.want {
			t.Errorf("%s: %.80q", name, got)
		}
	}
}

// counting counts the calls of its Error method.
type counting struct{ calls *int }

func (c counting) Error() string { *c.calls++; return strings.Repeat("x", 5000) }

func TestCaptureCallsErrorOnce(t *testing.T) {
	t.Parallel()
	calls := 0
	cause := counting{&calls}
	err := errtext.Capture(cause)
	if errtext.Capture(err) != err || err.Error() != errtext.Of(err) || len(err.Error()) > 4200 || calls != 1 { //nolint:errorlint // The value itself.
		t.Errorf("%d calls, text of %d bytes", calls, len(err.Error()))
	}
	if !errors.Is(err, cause) {
		t.Error("the cause is not wrapped")
	}
	if errtext.Capture(nil) != nil {
		t.Error("nil becomes an error")
	}
	if err := errtext.Capture(rude{}); errors.Unwrap(err) != nil || !strings.Contains(err.Error(), "errtext_test.rude") {
		t.Errorf("an error that panics is wrapped: %v", err)
	}
}

func FuzzCut(f *testing.F) {
	f.Add("refused", 1)
	f.Add("€", 3000)
	f.Add("\xff", 5000)
	f.Add("\x80", 4097)
	f.Fuzz(func(t *testing.T, text string, times int) {
		text = strings.Repeat(text, max(min(times, 5000), 0)%10_000)
		got := errtext.Cut(text)
		if !utf8.ValidString(got) || len(got) > 3*errtext.Max+64 {
			t.Errorf("%d bytes become %d: %.80q", len(text), len(got), got)
		}
		if utf8.ValidString(text) && !strings.HasPrefix(text, strings.Split(got, "… (")[0]) && !strings.Contains(text, "… (") {
			t.Errorf("%.80q becomes %.80q", text, got)
		}
	})
}
