package interceptor

import (
	"context"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/vitals-go/vitals/internal/stripe"
)

// Observe records a server call that took exactly this long, without waiting.
func (r *Recorder) Observe(fullMethod string, code codes.Code, took time.Duration) {
	m := r.server.lookup(fullMethod, Unary, true)
	var c call
	c.begin(context.Background(), m, stripe.Of(r.server.mask), r.now())
	c.record(r.serverOutcome(context.Background(), m, status.Error(code, ""), took), c.start+took)
}
