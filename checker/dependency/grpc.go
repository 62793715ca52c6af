package dependency

import (
	"context"
	"fmt"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"
)

// GRPCConfig configures GRPC.
type GRPCConfig struct {
	// Conn is the program's own connection to the upstream, so that the check takes the path of its calls. Required.
	Conn grpc.ClientConnInterface
	// Service is the full name of a service, such as shop.v1.Orders. Default "": the whole server.
	Service string
	// Transitive makes an upstream fail that does not serve because its own dependencies fail, instead of being degraded. Two
	// services that check each other like this do not start: each waits for the other.
	Transitive bool
	// AllowUnimplemented makes a server without a health service available.
	AllowUnimplemented bool
}

// GRPC returns a function that calls grpc.health.v1.Health/Check. It fails at once while the connection is down, as calls
// do.
//
// If the upstream does not serve and has the report service vitals.v1.HealthReportService, the function returns what its report
// says as public text: "caused by database timeout". An upstream that lacks nothing but its own dependencies is degraded: the
// outage is not passed on from service to service, and services that check each other start in any order.
func GRPC(cfg GRPCConfig) (func(context.Context) error, error) {
	if err := required("GRPCConfig.Conn", cfg.Conn != nil); err != nil {
		return nil, err
	}
	client := healthpb.NewHealthClient(cfg.Conn)
	return func(ctx context.Context) error {
		response, err := client.Check(ctx, &healthpb.HealthCheckRequest{Service: cfg.Service})
		if err != nil {
			return cfg.explain(err)
		}
		err = cfg.evaluate(response.GetStatus())
		if response.GetStatus() == healthpb.HealthCheckResponse_NOT_SERVING {
			return cfg.explainReport(ctx, err)
		}
		return err
	}, nil
}

func (cfg GRPCConfig) evaluate(answer healthpb.HealthCheckResponse_ServingStatus) error {
	switch answer {
	case healthpb.HealthCheckResponse_SERVING:
		return nil
	case healthpb.HealthCheckResponse_NOT_SERVING:
		return fmt.Errorf("the upstream reports NOT_SERVING for %s: it is starting, draining or lacks a dependency; see its health report",
			cfg.what())
	default:
		return fmt.Errorf("the upstream reports %v for %s: see its log", answer, cfg.what())
	}
}

func (cfg GRPCConfig) what() string {
	if cfg.Service == "" {
		return "the server"
	}
	return "service " + cfg.Service
}

func (cfg GRPCConfig) explain(err error) error {
	var hint string
	switch status.Code(err) {
	case codes.NotFound:
		hint = "the upstream's health service does not know " + cfg.what() + ": check that it is the full name and registered"
	case codes.Unimplemented:
		if cfg.AllowUnimplemented {
			return nil
		}
		hint = "the upstream has no health service: register grpc.health.v1.Health there, or set AllowUnimplemented"
	case codes.Unauthenticated, codes.PermissionDenied:
		hint = "the upstream requires credentials for health: add them to the connection, or exempt health there"
	case codes.DeadlineExceeded:
		hint = "the upstream did not answer in time: check its load and the network"
	case codes.ResourceExhausted:
		hint = "the upstream is overloaded or limits the rate"
	case codes.Unavailable:
		hint = hintUnavailable(err.Error())
	default:
		return err
	}
	return fmt.Errorf("%w: %s", err, hint)
}

// hintUnavailable parses the text: a status has no other information on its cause.
func hintUnavailable(text string) string {
	switch {
	case strings.Contains(text, "connection refused"):
		return "nothing listens there: check that the upstream is started and the address is right"
	case strings.Contains(text, "no such host"), strings.Contains(text, "produced zero addresses"):
		return "the upstream's name does not resolve: check its spelling and the resolver"
	case strings.Contains(text, "authentication handshake failed"):
		return "TLS handshake failed: check that both sides use TLS and that the certificate is trusted and valid for this name"
	case strings.Contains(text, "server preface"), strings.Contains(text, "broken pipe"),
		strings.Contains(text, "connection reset"), strings.Contains(text, "EOF"):
		return "protocol mismatch: check that it is a gRPC server and that TLS is set the same on both sides"
	default:
		return "the upstream is down, restarting or unreachable"
	}
}
