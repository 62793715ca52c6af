package servicer

import (
	"context"
	"slices"
	"strings"
	"time"

	"google.golang.org/grpc"

	"github.com/vitals-go/vitals/checker"
	"github.com/vitals-go/vitals/interceptor"
	"github.com/vitals-go/vitals/internal/rejection"
)

// The least and the greatest time after which a rejected call may be retried.
const (
	minRetry = time.Second
	maxRetry = 30 * time.Second
)

// UnaryGateInterceptor is a unary server interceptor that rejects calls of a service that does not serve for one of
// Config.RejectFor, so that also callers without a load balancer or health check are kept away. Calls of health,
// reflection, reports and load reports pass: see interceptor.IsInfrastructure.
//
// A rejection is UNAVAILABLE with the public cause, google.rpc.ErrorInfo (reason NOT_SERVING) and google.rpc.RetryInfo: the
// end of the maintenance, 1 to 30 s. Chain it before the recorder, because rejections are no failures of a handler; the metric
// requests_rejected counts them. While the service serves, a call costs one map lookup.
func (s *Server) UnaryGateInterceptor(ctx context.Context, request any, info *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
	if err := s.reject(info.FullMethod); err != nil {
		return nil, err
	}
	return handler(ctx, request)
}

// StreamGateInterceptor is UnaryGateInterceptor for streams. Those that are open remain.
func (s *Server) StreamGateInterceptor(service any, stream grpc.ServerStream, info *grpc.StreamServerInfo, handler grpc.StreamHandler) error {
	if err := s.reject(info.FullMethod); err != nil {
		return err
	}
	return handler(service, stream)
}

// reject returns the error of a call that must be rejected, otherwise nil.
func (s *Server) reject(fullMethod string) error {
	name := strings.TrimPrefix(fullMethod, "/")
	name = name[:max(0, strings.LastIndexByte(name, '/'))]
	state, known := s.statuses.Lookup(name)
	if !known {
		name = ""
		state, _ = s.statuses.Lookup(name)
	}
	if state == serving || interceptor.IsInfrastructure(fullMethod) {
		return nil
	}
	report := s.Report()
	n, known := report.Lookup(name)
	if !known || n.Status == serving {
		return nil
	}
	for _, cause := range n.Causes {
		if slices.Contains(s.cfg.RejectFor, cause.Reason) && (cause.Reason != checker.ReasonDraining || s.delayIsOver()) {
			s.rejected.Add(1)
			return rejected(n, cause, retryAfter(report, name))
		}
	}
	return nil
}

// delayIsOver reports whether a drain has passed its delay, during which calls are served.
func (s *Server) delayIsOver() bool {
	select {
	case <-s.statuses.Ended():
		return true
	default:
		return false
	}
}

// retryAfter returns when a call may be retried.
func retryAfter(report *Report, name string) time.Duration {
	wait := minRetry
	for _, m := range report.Maintenance {
		if m.Name == "" || m.Name == name {
			wait = max(wait, time.Until(m.Until))
		}
	}
	return min(wait, maxRetry)
}

func rejected(n *ServingName, cause Cause, retry time.Duration) error {
	what := n.Name
	if what == "" {
		what = "the server"
	}
	return rejection.NotServing(what+" is not serving: "+n.explain(), n.Name, cause.Reason.String(), retry).Err()
}
