package interceptor

import (
	"context"
	"net/http"
	"sync/atomic"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/vitals-go/vitals/internal/stripe"
)

// Operation is a unit of work that is not a gRPC call, such as an HTTP request or a job, from Recorder.Begin to End. It
// must not be copied. The zero Operation records nothing.
type Operation struct {
	recorder *Recorder
	ctx      context.Context
	call     call
	// ended is set by the first End, from any goroutine.
	ended atomic.Bool
}

// Begin starts recording an operation. It is part of Server's snapshots as a method of Type Other and evaluated like
// a unary call: rate, failures and latency. Each Begin needs one End. Neither allocates; both together cost about as much as
// UnaryServerInterceptor.
//
// Service and method become metric labels: a route pattern or a job's name, never a path or an ID. Names are entered
// when they first occur, up to Config.MaxMethods; after RegisterOperations only registered ones count by themselves.
// All others, empty ones, those of more than 256 bytes and those that are not printable share "other".
func (r *Recorder) Begin(ctx context.Context, service, method string) Operation {
	m := r.server.lookupOperation(service, method)
	return Operation{recorder: r, ctx: ctx, call: m.begin(stripe.Of(r.server.mask), r.now())}
}

// RegisterOperations enters names for Begin, so that they are in every Snapshot before they occur. From then on
// operations with other names share one entry. Call it again for each further service.
func (r *Recorder) RegisterOperations(service string, methods ...string) {
	r.server.registerOperations(service, methods)
}

// End records the end of the operation, with *err as its outcome, read as a gRPC handler's error: OK if nil, else the
// code of its gRPC status, of its context error, or Unknown. If the context of Begin has ended, an error counts as
// Canceled or DeadlineExceeded, whatever it is. Further calls have no effect. Err may be nil for success.
//
// End must itself be deferred, as in "defer op.End(&err)": it then also counts a panic, as Internal, and panics
// again with the same value. A panic with http.ErrAbortHandler counts as Unavailable instead, or Canceled.
func (o *Operation) End(err *error) {
	p := recover()
	if o.recorder != nil && o.ended.CompareAndSwap(false, true) {
		var returned error
		if err != nil {
			returned = *err
		}
		o.end(returned, p)
	}
	if p != nil {
		panic(p)
	}
}

var errAborted = status.Error(codes.Unavailable, "aborted")

func (o *Operation) end(err error, p any) {
	now := o.recorder.now()
	var result outcome
	if p == http.ErrAbortHandler { //nolint:errorlint // net/http compares it so
		p, err = nil, errAborted
	}
	switch {
	case p != nil:
		result = outcome{code: codes.Internal, panicked: true}
	case err != nil:
		result = o.recorder.serverOutcome(o.ctx, o.call.method, err, now-o.call.start)
	}
	o.call.record(result, now)
	if o.recorder.config.Exemplar != nil {
		o.recorder.recordExemplar(o.ctx, &o.call, result.code, now)
	}
}

// HTTPError returns the error for Operation.End that corresponds to an HTTP status: nil below 400, else one with the
// gRPC code to which the status maps. Of 5xx, all are failures in the sense of IsFailure; of 4xx, none.
func HTTPError(code int) error {
	if code < http.StatusBadRequest {
		return nil
	}
	return status.Error(codeOfHTTP(code), http.StatusText(code))
}

// codeOfHTTP inverts the mapping of google/rpc/code.proto.
func codeOfHTTP(code int) codes.Code {
	switch code {
	case http.StatusBadRequest:
		return codes.InvalidArgument
	case http.StatusUnauthorized:
		return codes.Unauthenticated
	case http.StatusForbidden:
		return codes.PermissionDenied
	case http.StatusNotFound:
		return codes.NotFound
	case http.StatusConflict:
		return codes.Aborted
	case http.StatusTooManyRequests:
		return codes.ResourceExhausted
	case 499: // client closed the request, in nginx and in code.proto
		return codes.Canceled
	case http.StatusNotImplemented:
		return codes.Unimplemented
	case http.StatusBadGateway, http.StatusServiceUnavailable:
		return codes.Unavailable
	case http.StatusGatewayTimeout:
		return codes.DeadlineExceeded
	}
	if code < http.StatusInternalServerError {
		return codes.FailedPrecondition
	}
	return codes.Internal
}
