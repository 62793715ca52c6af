package interceptor_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/vitals-go/vitals/interceptor"
)

func TestIsFailure(t *testing.T) {
	failures := map[codes.Code]bool{
		codes.Unknown: true, codes.DeadlineExceeded: true, codes.Unimplemented: true,
		codes.Internal: true, codes.Unavailable: true, codes.DataLoss: true,
	}
	for code := range codes.Code(interceptor.NumCodes + 3) {
		if got := interceptor.IsFailure(code); got != failures[code] {
			t.Errorf("IsFailure(%v) = %v, want %v", code, got, failures[code])
		}
	}
}

// nilStatus is an error whose status is nil, which gRPC reads as Unknown.
type nilStatus struct{ error }

func (nilStatus) GRPCStatus() *status.Status { return nil }

func (e nilStatus) Unwrap() error { return e.error }

// okStatus is an error whose status says that there is none.
type okStatus struct{ error }

func (okStatus) GRPCStatus() *status.Status { return status.New(codes.OK, "") }

func TestCodeEqualsWireCode(t *testing.T) {
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	expired, cancel := context.WithDeadline(t.Context(), time.Now().Add(-time.Hour))
	defer cancel()
	alive := t.Context()
	tests := []struct {
		name    string
		ctx     context.Context
		err     error
		code    codes.Code
		failure bool
	}{
		{"nil", alive, nil, codes.OK, false},
		{"status", alive, status.Error(codes.NotFound, "x"), codes.NotFound, false},
		{"wrapped status", alive, fmt.Errorf("get: %w", status.Error(codes.DataLoss, "x")), codes.DataLoss, true},
		{"joined status", alive, errors.Join(errors.New("x"), status.Error(codes.Aborted, "x")), codes.Aborted, false},
		{"plain error", alive, errors.New("x"), codes.Unknown, true},
		{"first unknown code", alive, status.Error(interceptor.NumCodes, "x"), codes.Unknown, true},
		{"nil status", alive, nilStatus{errors.New("x")}, codes.Unknown, true},
		{"nil status around a context error", alive, nilStatus{context.Canceled}, codes.Canceled, false},
		{"status OK, but no response", alive, okStatus{errors.New("x")}, codes.Internal, true},
		{"number that does not exist", alive, status.Error(99, "x"), codes.Unknown, true},
		{"context.DeadlineExceeded", alive, context.DeadlineExceeded, codes.DeadlineExceeded, true},
		{"wrapped context.Canceled", alive, fmt.Errorf("query: %w", context.Canceled), codes.Canceled, false},
		{"saturation", alive, status.Error(codes.ResourceExhausted, "x"), codes.ResourceExhausted, false},
		{"unimplemented", alive, status.Error(codes.Unimplemented, "x"), codes.Unimplemented, true},
		{"caller gone, handler content", cancelled, nil, codes.Canceled, false},
		{"caller gone, handler failed", cancelled, status.Error(codes.Internal, "x"), codes.Canceled, false},
		{"too late, handler content", expired, nil, codes.DeadlineExceeded, false},
		{"too late, handler failed", expired, status.Error(codes.Internal, "x"), codes.DeadlineExceeded, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			rec := newRecorder(t, interceptor.Config{})
			err := unary(test.ctx, rec, "/a.B/C", func(context.Context, any) (any, error) { return nil, test.err })
			if !errors.Is(err, test.err) {
				t.Errorf("the recorder returned %v, want the handler's own %v", err, test.err)
			}
			stats := rec.Server().Total
			if stats.Handled != 1 || stats.ByCode(test.code) != 1 {
				t.Errorf("handled %d with %v, want 1 with %v", stats.Handled, byCode(&stats), test.code)
			}
			if failed := stats.Failures == 1; failed != test.failure {
				t.Errorf("failures %d, want failure %v", stats.Failures, test.failure)
			}
			window := rec.Server().Window
			if window.Requests != 1 || (window.Failures == 1) != test.failure {
				t.Errorf("window %+v, want one request, failure %v", window, test.failure)
			}
			if saturated := test.code == codes.ResourceExhausted; (window.ResourceExhausted == 1) != saturated {
				t.Errorf("window saturated %d, want %v", window.ResourceExhausted, saturated)
			}
		})
	}
}

func TestDeadlineExceededIsFailureFromMinDeadline(t *testing.T) {
	hang := func(ctx context.Context, _ any) (any, error) { <-ctx.Done(); return nil, ctx.Err() }
	giveUp := func(context.Context, any) (any, error) {
		time.Sleep(20 * time.Millisecond)
		return nil, status.Error(codes.DeadlineExceeded, "my own timeout")
	}
	tests := []struct {
		name    string
		config  interceptor.Config
		budget  time.Duration // of the caller; 0 means none
		handler func(context.Context, any) (any, error)
		failure bool
	}{
		{"hung for long", interceptor.Config{}, time.Second, hang, true},
		{"hung for exactly long enough", interceptor.Config{}, 100 * time.Millisecond, hang, true},
		{"tiny deadline", interceptor.Config{}, 99 * time.Millisecond, hang, false},
		{"own timeout, no deadline", interceptor.Config{}, 0, giveUp, true},
		{"own timeout, ample deadline", interceptor.Config{}, time.Minute, giveUp, true},
		{"own timeout under a tiny deadline", interceptor.Config{}, 50 * time.Millisecond, giveUp, false},
		{"threshold moved", interceptor.Config{MinDeadline: 2 * time.Second}, time.Second, hang, false},
		{"threshold off", interceptor.Config{MinDeadline: -1}, time.Nanosecond, hang, true},
		{"threshold off, expired before", interceptor.Config{MinDeadline: -1}, -time.Second, hang, true},
		{"expired before", interceptor.Config{}, -time.Second, hang, false},
	}
	for _, test := range tests {
		synctest.Test(t, func(t *testing.T) {
			rec := newRecorder(t, test.config)
			ctx := t.Context()
			if test.budget != 0 {
				var cancel context.CancelFunc
				ctx, cancel = context.WithTimeout(ctx, test.budget)
				defer cancel()
			}
			_ = unary(ctx, rec, "/a.B/C", test.handler)
			snap := rec.Server()
			if n := snap.Total.ByCode(codes.DeadlineExceeded); n != 1 || snap.Total.Handled != 1 {
				t.Errorf("%s: DeadlineExceeded %d of %d handled, want 1 of 1", test.name, n, snap.Total.Handled)
			}
			if failed := snap.Total.Failures == 1; failed != test.failure || (snap.Window.Failures == 1) != test.failure {
				t.Errorf("%s: failures %d, window %d, want failure %v",
					test.name, snap.Total.Failures, snap.Window.Failures, test.failure)
			}
			if timed := snap.Window.LatencySamples == 1; timed != test.failure || snap.Window.Requests != 1 {
				t.Errorf("%s: timed %d, want only what really ran", test.name, snap.Window.LatencySamples)
			}
			if snap.Total.Latency.Count() != 1 {
				t.Errorf("%s: %d in the histogram, want every call", test.name, snap.Total.Latency.Count())
			}
		})
	}
}

// The caller's reset and the server's own timer both fire at the deadline; who wins must not decide what a hung
// handler counts as.
func TestResetAtDeadlineIsDeadlineExceeded(t *testing.T) {
	tests := []struct {
		name        string
		budget      time.Duration
		cancelAfter time.Duration
		code        codes.Code
	}{
		{"a hair before", time.Second, 999 * time.Millisecond, codes.DeadlineExceeded},
		{"long before", time.Second, 500 * time.Millisecond, codes.Canceled},
		{"a hair is at most 50 ms", time.Minute, time.Minute - 60*time.Millisecond, codes.Canceled},
		{"no deadline", 0, time.Second, codes.Canceled},
	}
	for _, test := range tests {
		synctest.Test(t, func(t *testing.T) {
			rec := newRecorder(t, interceptor.Config{})
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			if test.budget > 0 {
				var stop context.CancelFunc
				ctx, stop = context.WithTimeout(ctx, test.budget)
				defer stop()
			}
			time.AfterFunc(test.cancelAfter, cancel)
			_ = unary(ctx, rec, "/a.B/C", func(ctx context.Context, _ any) (any, error) {
				<-ctx.Done()
				return nil, nil
			})
			if n := rec.Server().Total.ByCode(test.code); n != 1 {
				t.Errorf("%s: %v, want %v", test.name, rec.Server().Total, test.code)
			}
		})
	}
}
