package usercode_test

import (
	"runtime"
	"strings"
	"testing"

	"github.com/vitals-go/vitals/internal/usercode"
)

type rude struct{}

func (rude) String() string { runtime.Goexit(); return "" }

func TestCallOutlivesTheFunction(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		f    func() int
		err  string
		want int
	}{
		"returns": {func() int { return 7 }, "", 7},
		"panics":  {func() int { panic("out of order") }, "panic: out of order", 0},
		"exits":   {func() int { runtime.Goexit(); return 7 }, "runtime.Goexit", 0},
		"panics with a value whose text cannot be had": {func() int { panic(rude{}) }, "runtime.Goexit", 0},
	} {
		got, err := usercode.Call(tt.f)
		text := ""
		if err != nil {
			text = err.Error()
		}
		if got != tt.want || (text == "") != (tt.err == "") || !strings.Contains(text, tt.err) {
			t.Errorf("%s: got %d, %v", name, got, err)
		}
	}
}
