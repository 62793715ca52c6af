package kubernetes

import (
	"time"

	"github.com/vitals-go/vitals/checker"
)

// Config says how the kubelet reaches the program and what the program is configured to do. Exactly one of GRPCPort,
// HTTPPort and Exec is required; every other zero value is the default that the field documents. vitals.Config fills
// one from the program's own configuration: see its method Kubernetes.
type Config struct {
	// GRPCPort is where the kubelet calls grpc.health.v1 Check, in plaintext: it speaks no TLS. A server with TLS opens
	// a port for it by PLUGIN_HEALTH_GRPC_ADDR.
	GRPCPort int
	// HTTPPort is where the kubelet gets /startup, /live and /ready.
	HTTPPort int
	// HTTPS says that HTTPPort speaks TLS. The kubelet accepts any certificate.
	HTTPS bool
	// Exec runs a command in the container.
	Exec *Exec

	// Startup decides when the other two begin. Default: every second (Exec: every 3 s), for one minute or twice as
	// long as the slowest first result may take, whichever is longer.
	Startup Timing
	// Liveness decides about restarts. Default: every 10 s, restart after 3 failures.
	Liveness Timing
	// Readiness decides about traffic. Default: as often as needed to notice a drain within DrainDelay, with a Period of
	// 1 s to 5 s; with the defaults, every 2 s, out after 2 failures.
	Readiness Timing

	// Checks are those of the program. Startup must last until each that gates readiness or startup can have its first
	// result.
	Checks []checker.Check

	// DrainDelay and ShutdownTimeout are those of the program. Defaults 5 s and 20 s; negative: none.
	DrainDelay      time.Duration
	ShutdownTimeout time.Duration

	// PreStop is how long the kubelet waits before it sends SIGTERM. The drain delay does the same inside the program,
	// and tells gRPC clients too; so the default is none.
	PreStop time.Duration
	// GracePeriod is the time from the decision to stop the pod to SIGKILL. Default: PreStop + DrainDelay +
	// ShutdownTimeout and 5 s for the rest, in whole seconds.
	GracePeriod time.Duration
}

// Timing says how often and how patiently the kubelet asks. Kubernetes counts whole seconds. Zero values are the
// defaults that Config documents.
type Timing struct {
	// InitialDelay postpones the first probe. Default none: that is what the startup probe is for.
	InitialDelay time.Duration
	// Period is the time from one probe to the next.
	Period time.Duration
	// Timeout bounds one probe and may not exceed Period. Default 1 s; Exec: 3 s, because the command gives up by itself
	// after two and then says why.
	Timeout time.Duration
	// FailureThreshold is how many failures in a row count.
	FailureThreshold int
	// SuccessThreshold is how many successes in a row make a container ready again. Default 1; Startup and Liveness
	// allow nothing else.
	SuccessThreshold int
}

// Exec is a probe by the program's own command, for ports that the kubelet cannot ask: Unix sockets, mutual TLS, no port
// at all. It needs no shell in the image, but every probe costs a process. Exactly one of Addr, URL and File is required.
type Exec struct {
	// Command is the program and its sub-command, such as /server healthcheck: what probes.Main serves. Required.
	Command []string
	// Addr is the gRPC server's address, seen from inside the container: host:port or unix:///path.
	Addr string
	// URL is where the HTTP door is, such as http://localhost:8080, without a path.
	URL string
	// File is the health file's absolute path, and FileInterval how often the program writes it. A file tells of a hang
	// only when it expires, three intervals after it was written.
	File         string
	FileInterval time.Duration
	// Flags are further ones, such as -tls -tls-ca-cert=/etc/tls/ca.crt.
	Flags []string
}
