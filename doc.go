// Package vitals tells truthfully whether traffic should come to a gRPC server, through every door that asks.
//
// It is the front door of a collection: New wires, from one Config, the recorder that watches calls (interceptor), the
// checks that ask dependencies and resources (checker), the breakers that guard clients (breaker), the judge that folds
// all of it into one immutable report and answers grpc.health.v1 (servicer), and the heralds that repeat its verdict:
// HTTP probes, status page, health file and metrics (probes), and OpenTelemetry (otel). Every part can also be used
// alone.
//
// Health.Serve runs everything and, when its context ends, ends it in order: readiness fails first, serving goes on for a
// while, watches end, calls in flight finish. Nothing starts before Serve and nothing is left after it; it handles no
// signal. Health.Run does what Serve does for a server that somebody else serves; Health.PluginServer makes the one that
// HashiCorp's go-plugin serves.
//
// A Health may be used concurrently. It owns every goroutine that it starts. A recorded call costs less than twice two
// readings of the clock and no allocation (go run ./bench -only P1); a health check answered over gRPC or HTTP
// costs an atomic load or two beside the transport, and never waits for a dependency.
package vitals
