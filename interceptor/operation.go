package interceptor

import (
	"cmp"
	"context"
	"net/http"
	"sync/atomic"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/vitals-go/vitals/internal/stripe"
)

// Operation is work that is not a gRPC call, such as an HTTP request or a job, from Recorder.Begin to End. It must not be
// copied. The zero Operation records nothing.
type Operation struct {
	recorder *Recorder
	ctx      context.Context
	call     call
	ended    atomic.Bool
}

// Begin starts an operation. It is in the snapshots of the server side, as a method of type Other, and counts like a
// unary call in rates, failures and latency. Begin and End allocate nothing and cost as much as
// UnaryServerInterceptor.
//
// Service and method become metric labels: use a route pattern or the name of a job, never a path or an ID. New names
// make entries up to Config.MaxMethods, or until RegisterOperations. Further ones share the entry "other", as do empty
// names, names of together more than 256 bytes and those with characters that are not printable.
func (r *Recorder) Begin(ctx context.Context, service, method string) Operation {
	var c call
	c.begin(ctx, r.server.lookupOperation(service, method), stripe.Of(r.server.mask), r.now())
	return Operation{recorder: r, ctx: ctx, call: c}
}

// RegisterOperations adds names for Begin, so that every Snapshot lists them from the start. After it, operations with
// other names share the entry "other". Call it once for each service.
func (r *Recorder) RegisterOperations(service string, methods ...string) {
	made := map[string]*method{}
	for _, name := range methods {
		made[string(operationKey(nil, service, name))] = r.server.newMethod(service, name, Other, true)
	}
	r.server.replace(Other, made)
}

// End records the end of the operation with the outcome *err, which is read as a gRPC handler's error: OK if nil, else
// the code of its gRPC status, of a context error, or Unknown. If the context of Begin has ended, an error counts as
// Canceled or DeadlineExceeded. A nil pointer means success. Calls after the first have no effect.
//
// Defer End itself, as in "defer op.End(&err)". It then counts a panic as Internal and panics again with the same
// value; http.ErrAbortHandler counts as Unavailable and not as a panic.
func (o *Operation) End(err *error) {
	p := recover()
	if o.recorder != nil && o.ended.CompareAndSwap(false, true) {
		var result error
		if err != nil {
			result = *err
		}
		now := o.recorder.now()
		o.recorder.end(o.ctx, &o.call, o.outcome(result, p, now-o.call.start), now)
	}
	if p != nil {
		panic(p)
	}
}

func (o *Operation) outcome(err error, p any, elapsed time.Duration) outcome {
	switch {
	case p == http.ErrAbortHandler: //nolint:errorlint // net/http compares it in the same way
		err = errAborted
	case p != nil:
		return outcome{code: codes.Internal, panicked: true}
	case err == nil:
		return outcome{}
	}
	return o.errorOutcome(err, elapsed)
}

// errorOutcome counts an error whose methods panic as a panic: End could record nothing otherwise.
func (o *Operation) errorOutcome(err error, elapsed time.Duration) (result outcome) {
	defer func() {
		if recover() != nil {
			result = outcome{code: codes.Internal, panicked: true}
		}
	}()
	return o.recorder.serverOutcome(o.ctx, o.call.method, err, elapsed)
}

var errAborted = status.Error(codes.Unavailable, "aborted")

// HTTPError returns an error for Operation.End with the gRPC code of an HTTP status, nil below 400. All codes of 5xx are
// failures, none of 4xx is; see IsFailure.
func HTTPError(code int) error {
	if code < http.StatusBadRequest {
		return nil
	}
	return status.Error(cmp.Or(httpCodes[code], httpCodes[code/100], codes.Internal), http.StatusText(code))
}

// httpCodes inverts the mapping of google/rpc/code.proto; key 4 is for all others from 400 to 499. Read-only.
var httpCodes = map[int]codes.Code{
	4: codes.FailedPrecondition,

	400: codes.InvalidArgument, 401: codes.Unauthenticated, 403: codes.PermissionDenied, 404: codes.NotFound,
	409: codes.Aborted, 429: codes.ResourceExhausted, 499: codes.Canceled, 501: codes.Unimplemented,
	502: codes.Unavailable, 503: codes.Unavailable, 504: codes.DeadlineExceeded,
}
