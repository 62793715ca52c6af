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
		"panics":   {rude{}, "errtext_test.rude"},
		"quoted":   {&errtext.Quote{Text: strings.Repeat("x", 4100), Cause: rude{}}, strings.Repeat("x", 4100)},
		"longest":  {errors.New(strings.Repeat("x", 4096)), strings.Repeat("x", 4096)},
		"longer":   {errors.New(strings.Repeat("x", 4097)), strings.Repeat("x", 4096) + "… (4097 bytes)"},
	} {
		if got := errtext.Of(tt.err); got != tt.want {
			t.Errorf("%s: %.80q", name, got)
		}
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
