package checker

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"
)

// expired is a context whose deadline has passed while its timer has not fired yet.
type expired struct{ context.Context }

func (expired) Deadline() (time.Time, bool) { return time.Now().Add(-time.Nanosecond), true }

func TestClassify(t *testing.T) {
	running, cancel := context.WithTimeout(t.Context(), time.Hour)
	defer cancel()
	ended, end := context.WithTimeout(t.Context(), time.Hour)
	end()
	late, cancelLate := context.WithDeadline(t.Context(), time.Unix(1, 0))
	defer cancelLate()
	tests := []struct {
		name string
		ctx  context.Context
		err  error
		want event
		text string
	}{
		{"nil", running, nil, passed, ""},
		{"nil after the deadline", late, nil, passed, ""},
		{"error", running, errors.New("down"), failed, ""},
		{"error after the deadline", late, errors.New("down"), timedOut, ""},
		{"an I/O deadline is quicker than the context", expired{running}, os.ErrDeadlineExceeded, timedOut, ""},
		{"cancelled from outside", ended, context.Canceled, cancelled, ""},
		{"the check's own cancellation", running, context.Canceled, failed, ""},
		{"no evidence", running, fmt.Errorf("disk: %w", ErrInconclusive), inconclusive, ""},
		{"no evidence after the deadline", late, ErrInconclusive, inconclusive, ""},
		{"degraded", running, Degraded("old index", errors.New("secret")), degraded, "old index"},
		{"degraded after the deadline", late, Degraded("old index", context.DeadlineExceeded), degraded, "old index"},
		{"degraded, wrapped", running, fmt.Errorf("search: %w", Degraded("old index", nil)), degraded, "old index"},
		{"degraded twice", running, errors.Join(Degraded("a", nil), nil, Degraded("b", nil)), degraded, "a; b"},
		{"degraded and failed", running, errors.Join(Degraded("a", nil), errors.New("secret")), failed, "a"},
		{"degraded by a failure", running, Degraded("a", Failed("b", nil)), degraded, "a"},
		{"failed by what is degraded", running, Failed("a", Degraded("b", nil)), failed, "a"},
		{"failed without a text", running, Failed("", errors.New("secret")), failed, ""},
		{"a timeout with a text", late, Failed("a", errors.New("secret")), timedOut, "a"},
		{"no evidence with a text", running, Failed("the mount hangs", ErrInconclusive), inconclusive, "the mount hangs"},
		{"several lines", running, Failed("a\r\nb\x00c\u2028d\xff", nil), failed, "a  b c d\uFFFD"},
		{"a long text", running, Failed(strings.Repeat("é", 300), nil), failed, strings.Repeat("é", 254) + "…"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got, text := classify(test.ctx, test.err); got != test.want || text != test.text {
				t.Fatalf("got %v %q, want %v %q", got, text, test.want, test.text)
			}
		})
	}
}

func TestFirstResultHoldsSinceItsRun(t *testing.T) {
	e, now := newEntry(&Check{Name: "db"}), time.Now()
	for _, at := range []time.Time{now, now.Add(time.Hour)} {
		e.evaluate(&outcome{event: inconclusive, ran: true}, at)
		if !e.result.Since.Equal(now) {
			t.Errorf("unknown since %v, want since the first run, %v", e.result.Since, now)
		}
	}
}
