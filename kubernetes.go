package vitals

import (
	"errors"
	"fmt"
	"net"
	"strconv"

	"github.com/vitals-go/vitals/probes/kubernetes"
)

// Kubernetes returns what a manifest must agree with: the checks, the drain, and the door that the kubelet can ask, which
// is HealthGRPCAddr if there is one, else HTTPAddr. Give it to kubernetes.Probes; change it before as you like, such as
// to ask the main gRPC port of a server without TLS, or by Exec. It returns an error that names every mistake in cfg's
// checks and a door without a fixed port.
func (cfg Config) Kubernetes() (kubernetes.Config, error) {
	checks, err := cfg.allChecks()
	k := kubernetes.Config{Checks: checks, DrainDelay: cfg.DrainDelay, ShutdownTimeout: cfg.ShutdownTimeout}
	var portErr error
	switch {
	case cfg.HealthGRPCAddr != "":
		k.GRPCPort, portErr = port("HealthGRPCAddr (PLUGIN_HEALTH_GRPC_ADDR)", cfg.HealthGRPCAddr)
	case cfg.HTTPAddr != "":
		k.HTTPPort, portErr = port("HTTPAddr (PLUGIN_HEALTH_HTTP_ADDR)", cfg.HTTPAddr)
	}
	return k, errors.Join(err, portErr)
}

// port returns the number of the port that the kubelet asks at addr: at the pod's own address, so loopback is of no use.
func port(field, addr string) (int, error) {
	host, text, err := net.SplitHostPort(addr)
	if err != nil {
		return 0, fmt.Errorf("vitals: %s: %w", field, err)
	}
	if ip := net.ParseIP(host); host == "localhost" || ip.IsLoopback() {
		return 0, fmt.Errorf("vitals: %s is %q: the kubelet asks at the pod's address, where nobody listens then", field, addr)
	}
	n, err := strconv.ParseUint(text, 10, 16)
	if err != nil || n == 0 {
		return 0, fmt.Errorf("vitals: %s is %q: want the number of a port", field, addr)
	}
	return int(n), nil
}
