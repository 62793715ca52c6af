package checker

import (
	"context"
	"errors"
	"fmt"
	"os"
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
	}{
		{"nil", running, nil, passed},
		{"nil after the deadline", late, nil, passed},
		{"error", running, errors.New("down"), failed},
		{"error after the deadline", late, errors.New("down"), timedOut},
		{"an I/O deadline is quicker than the context", expired{running}, os.ErrDeadlineExceeded, timedOut},
		{"cancelled from outside", ended, context.Canceled, cancelled},
		{"the check's own cancellation", running, context.Canceled, failed},
		{"no evidence", running, fmt.Errorf("disk: %w", ErrInconclusive), inconclusive},
		{"no evidence after the deadline", late, ErrInconclusive, inconclusive},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := classify(test.ctx, test.err); got != test.want {
				t.Fatalf("got %v, want %v", got, test.want)
			}
		})
	}
}
