package vitals

import (
	"context"
	"errors"
	"fmt"
	"net"

	healthpb "google.golang.org/grpc/health/grpc_health_v1"

	"github.com/vitals-go/vitals/checker"
	"github.com/vitals-go/vitals/servicer"
)

// Canary returns a check that calls grpc.health.v1 at a listener of this process as a client does: over the network, through
// TLS and all interceptors. Without it a main port that accepts no connections, or whose interceptors block, is not found while
// the port of the probes responds. Add it to the Checker, with the address of the listener once it is open.
//
// It passes whatever the health, so that it does not keep the server out that it checks; a call that is rejected is degraded, and
// a listener that requires client certificates passes once it has refused the connection for want of one. It is named
// main_listener, is a checker.Process that gates readiness, and passes during a drain; set Gates to checker.Liveness if a restart
// helps. Its calls are neither recorded nor in Report.Probers. A listener that requires the PROXY protocol cannot be checked.
func (h *Health) Canary(listener net.Addr) checker.Check {
	var tls bool // the scheme that worked last; a check runs once at a time
	dial := func(ctx context.Context) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, listener.Network(), listener.String())
	}
	return checker.Check{
		Name: "main_listener", Title: "Main listener", Kind: checker.Process, Gates: []string{checker.Readiness},
		Run: func(ctx context.Context) error {
			if h.server.Phase() >= servicer.Draining {
				return nil
			}
			var errs []error
			for range 2 {
				scheme := "http"
				if tls {
					scheme = "https"
				}
				status, err := new(selfCheck).callScheme(ctx, dial, scheme, healthpb.Health_Check_FullMethodName)
				var refused *net.OpError
				switch {
				case err == nil && status.code == "0", errors.As(err, &refused) && refused.Op == "remote error": // a TLS alert
					return nil
				case err == nil:
					return checker.Degraded("health requests are rejected with code "+status.code, errors.New(status.message))
				}
				errs = append(errs, fmt.Errorf("%s: %w", scheme, err))
				tls = !tls
			}
			return errors.Join(errs...)
		},
	}
}
