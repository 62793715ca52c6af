package interceptor_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/vitals-go/vitals/interceptor"
)

// operate records one operation that returns err or panics with p.
func operate(ctx context.Context, rec *interceptor.Recorder, err error, p any) {
	defer func() { _ = recover() }()
	op := rec.Begin(ctx, "jobs", "resize")
	defer op.End(&err)
	if p != nil {
		panic(p)
	}
}

func TestOperationIsCountedByItsError(t *testing.T) {
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	expired, stop := context.WithTimeout(t.Context(), -1)
	defer stop()
	tests := map[string]struct {
		ctx      context.Context
		err      error
		panic    any
		code     codes.Code
		failures uint64
		panics   uint64
	}{
		"success":                   {t.Context(), nil, nil, codes.OK, 0, 0},
		"plain error":               {t.Context(), errors.New("x"), nil, codes.Unknown, 1, 0},
		"status error":              {t.Context(), fmt.Errorf("get: %w", status.Error(codes.NotFound, "x")), nil, codes.NotFound, 0, 0},
		"unimplemented":             {t.Context(), interceptor.HTTPError(http.StatusNotImplemented), nil, codes.Unimplemented, 1, 0},
		"context error":             {t.Context(), context.DeadlineExceeded, nil, codes.DeadlineExceeded, 1, 0},
		"error after cancellation":  {canceled, errors.New("x"), nil, codes.Canceled, 0, 0},
		"expired before it began":   {expired, errors.New("x"), nil, codes.DeadlineExceeded, 0, 0},
		"success after the context": {canceled, nil, nil, codes.OK, 0, 0},
		"panic":                     {t.Context(), nil, "x", codes.Internal, 1, 1},
		"aborted response":          {t.Context(), nil, http.ErrAbortHandler, codes.Unavailable, 1, 0},
		"aborted by the caller":     {canceled, nil, http.ErrAbortHandler, codes.Canceled, 0, 0},
	}
	for name, test := range tests {
		rec := newRecorder(t, interceptor.Config{})
		operate(test.ctx, rec, test.err, test.panic)
		m := method(t, rec.Server(), "jobs", "resize")
		s := &m.Total
		if s.ByCode(test.code) != 1 || s.Handled != 1 || s.Failures != test.failures || s.Panics != test.panics || s.InFlight() != 0 {
			t.Errorf("%s: by code %v, %d failures, %d panics, %d in flight; want one %v, %d, %d, 0",
				name, byCode(s), s.Failures, s.Panics, s.InFlight(), test.code, test.failures, test.panics)
		}
		if m.Type != interceptor.Other || s.MsgSent != 0 || s.MsgReceived != 0 {
			t.Errorf("%s: type %s, %d and %d messages, want other and none", name, m.Type, s.MsgSent, s.MsgReceived)
		}
		if w := rec.ServerSummary().Window; w.Requests != 1 || w.Failures != test.failures {
			t.Errorf("%s: window %+v, want the operation", name, w)
		}
	}
}

func TestPanicOfOperationContinues(t *testing.T) {
	rec := newRecorder(t, interceptor.Config{})
	defer func() {
		if p := recover(); p != secret {
			t.Errorf("recovered %v, want the operation's value", p)
		}
	}()
	op := rec.Begin(t.Context(), "jobs", "resize")
	defer op.End(nil)
	panic(secret)
}

func TestOperationEndsOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rec := newRecorder(t, interceptor.Config{})
		op := rec.Begin(t.Context(), "jobs", "resize")
		if n := rec.Server().Total.InFlight(); n != 1 {
			t.Errorf("%d in flight before End, want 1", n)
		}
		time.Sleep(time.Second)
		var group sync.WaitGroup
		for range 4 {
			group.Go(func() { op.End(nil) })
		}
		group.Wait()
		op.End(new(errors.New("late")))
		s := rec.Server()
		if s.Total.Handled != 1 || s.Total.ByCode(codes.OK) != 1 || s.Total.InFlight() != 0 || s.Window.Mean != time.Second {
			t.Errorf("handled %d, %d OK, %d in flight, mean %v; want 1, 1, 0, 1s",
				s.Total.Handled, s.Total.ByCode(codes.OK), s.Total.InFlight(), s.Window.Mean)
		}
		var zero interceptor.Operation
		zero.End(nil)
	})
}

func TestOperationNamesAreBounded(t *testing.T) {
	rec := newRecorder(t, interceptor.Config{MaxMethods: 3})
	rec.Register(shop) // closes the names of gRPC calls only
	end := func(service, name string) {
		op := rec.Begin(t.Context(), service, name)
		op.End(nil)
	}
	for i := range 10 {
		end("http", fmt.Sprintf("GET /%d", i))
	}
	odd := []string{"", "a\nb", "\xff", strings.Repeat("x", 300)}
	for _, name := range odd {
		end("http", name)
	}
	snap := rec.Server()
	if got := method(t, snap, "http", "GET /2").Total.Handled; got != 1 {
		t.Errorf("GET /2 handled %d, want 1", got)
	}
	if got := method(t, snap, "other", "other"); got.Total.Handled != 7+4 || got.Type != interceptor.Other {
		t.Errorf("other handled %d of type %s, want 11 operations", got.Total.Handled, got.Type)
	}

	rec.RegisterOperations("jobs", "resize", "resize")
	end("jobs", "resize")
	end("jobs", "unknown")
	end("http", "GET /2")
	snap = rec.Server()
	if a, b, c := method(t, snap, "jobs", "resize").Total.Handled, method(t, snap, "http", "GET /2").Total.Handled,
		method(t, snap, "other", "other").Total.Handled; a != 1 || b != 1 || c != 13 {
		t.Errorf("after RegisterOperations: registered %d, learned %d, other %d; want 1, 1, 13", a, b, c)
	}
	rows := map[string]bool{}
	for _, m := range snap.Methods {
		row := fmt.Sprintf("%s/%s %s", m.Service, m.Name, m.Type)
		if rows[row] {
			t.Errorf("%s has two rows", row)
		}
		rows[row] = true
	}
}

func TestOperationDoesNotAllocate(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	rec := newRecorder(t, interceptor.Config{})
	ctx, broken := t.Context(), status.Error(codes.Internal, "x")
	for name, run := range map[string]func(){
		"success": func() {
			var err error
			op := rec.Begin(ctx, "http", "GET /orders/{id}")
			defer op.End(&err)
		},
		"failure": func() {
			err := broken
			op := rec.Begin(ctx, "http", "GET /orders/{id}")
			defer op.End(&err)
		},
		"other name": func() {
			op := rec.Begin(ctx, "http", "")
			op.End(nil)
		},
	} {
		if n := testing.AllocsPerRun(200, run); n != 0 {
			t.Errorf("%s allocates %v times, want 0", name, n)
		}
	}
}

func TestHTTPErrorCountsServerErrorsAsFailures(t *testing.T) {
	for code := range 600 {
		err := interceptor.HTTPError(code)
		if (err == nil) != (code < 400) {
			t.Errorf("HTTPError(%d) = %v", code, err)
		}
		if got := interceptor.IsFailure(status.Code(err)); got != (code >= 500) {
			t.Errorf("HTTPError(%d) = %v, failure %v", code, err, got)
		}
	}
}
