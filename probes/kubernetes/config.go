package kubernetes

import (
	"time"

	"github.com/vitals-go/vitals/checker"
)

// Config describes how the kubelet reaches the program, and the program's checks and drain. Exactly one of GRPCPort,
// HTTPPort and Command is required. vitals.Config.Kubernetes makes one from the program's own configuration.
type Config struct {
	// GRPCPort serves grpc.health.v1, in plaintext unless GRPCTLS is set. A server with TLS opens a plaintext port with
	// PLUGIN_HEALTH_GRPC_ADDR.
	GRPCPort int
	// GRPCTLS is set if GRPCPort serves TLS. It requires GRPCContainerProbeTLS.
	GRPCTLS bool
	// GRPCContainerProbeTLS is set if the cluster's API servers and kubelets have the feature gate of this name, which is
	// alpha in Kubernetes 1.37. Elsewhere gRPC probes use plaintext. The kubelet does not verify the certificate and
	// presents none.
	GRPCContainerProbeTLS bool
	// HTTPPort serves /startup, /live and /ready.
	HTTPPort int
	// HTTPS is set if HTTPPort serves TLS. The kubelet does not verify the certificate.
	HTTPS bool

	// Command is the program, its healthcheck sub-command and further flags, such as /server healthcheck -tls. It probes
	// ports that the kubelet cannot reach (Unix sockets, mutual TLS) or the health file. Each probe costs a process.
	Command []string
	// Address is what Command probes, seen from inside the container: host:port or unix:///path for gRPC,
	// http://host:port without a path, or the absolute path of the health file.
	Address string
	// FileInterval is how often the program writes the health file, which expires after three intervals, at least 3 s. Required if
	// Address is a file.
	FileInterval time.Duration

	// Startup holds back the other two probes. Default: every second (Command: every 3 s), for one minute or twice the
	// longest time to a first result, whichever is longer.
	Startup Timing
	// Liveness restarts the container. Default: every 10 s, 3 failures.
	Liveness Timing
	// Readiness removes the pod from its endpoints. Default: as often as needed to notice a drain within DrainDelay, with
	// a Period of 1 s to 5 s; every 2 s, 2 failures with the default DrainDelay.
	Readiness Timing

	// Checks are those of the program. Startup waits for the first result of each that gates readiness or startup.
	Checks []checker.Check

	// DrainDelay and ShutdownTimeout are those of the program. Defaults: 5 s and 20 s; negative: none. A pod without a
	// DrainDelay needs a preStop hook that waits until no endpoint routes to it.
	DrainDelay      time.Duration
	ShutdownTimeout time.Duration

	// GracePeriod is the time until SIGKILL, that of a preStop hook included. Default: DrainDelay + ShutdownTimeout + 5 s,
	// in whole seconds; required without a DrainDelay.
	GracePeriod time.Duration
}

// Timing configures one probe, in whole seconds. Config documents the defaults.
type Timing struct {
	// Period is the time from one probe to the next.
	Period time.Duration
	// Timeout bounds one probe and may not exceed Period. Default: 1 s; with a Command 3 s, because the command itself
	// times out after 2 s and then prints the reason.
	Timeout time.Duration
	// FailureThreshold is the number of consecutive failures after which the probe has failed.
	FailureThreshold int
}
