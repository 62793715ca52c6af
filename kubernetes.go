package vitals

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strconv"

	"github.com/vitals-go/vitals/probes/kubernetes"
)

// Kubernetes returns what a manifest must agree with: the checks, the drain, and the door that the kubelet can ask, which
// is HealthGRPCAddr if there is one without TLS, else HTTPAddr. Give it to kubernetes.Probes; change it before as you
// like, such as to ask the main gRPC port of a server without TLS, or by a Command. It returns an error that names every
// mistake in cfg's checks, a door without a fixed port, and doors that the kubelet cannot open: its gRPC probes speak no
// TLS, and its HTTPS probes, which accept any certificate, show none of their own.
func (cfg Config) Kubernetes() (kubernetes.Config, error) {
	checks, err := cfg.allChecks()
	k := kubernetes.Config{Checks: checks, DrainDelay: cfg.DrainDelay, ShutdownTimeout: cfg.ShutdownTimeout}
	return k, errors.Join(err, cfg.kubeletListener(&k))
}

func (cfg Config) kubeletListener(k *kubernetes.Config) (err error) {
	files := cfg.TLS.wanted()
	secureGRPC := cfg.HealthGRPCTLS != nil || files && !cfg.HealthGRPCPlaintext
	switch {
	case cfg.HealthGRPCAddr != "" && !secureGRPC:
		k.GRPCPort, err = port("HealthGRPCAddr (PLUGIN_HEALTH_GRPC_ADDR)", cfg.HealthGRPCAddr)
		return err
	case cfg.HTTPAddr == "" && cfg.HealthGRPCAddr != "":
		return errors.New("vitals: HealthGRPCAddr (PLUGIN_HEALTH_GRPC_ADDR) speaks TLS and the kubelet's gRPC probes do not: " +
			"set HealthGRPCPlaintext (PLUGIN_HEALTH_GRPC_PLAINTEXT) or open HTTPAddr (PLUGIN_HEALTH_HTTP_ADDR)")
	case cfg.HTTPAddr == "":
		return nil
	}
	asks := cfg.TLS.clientAuth()
	if cfg.HTTPTLS != nil {
		asks = cfg.HTTPTLS.ClientAuth
	}
	if asks == tls.RequireAnyClientCert || asks == tls.RequireAndVerifyClientCert {
		return errors.New("vitals: HTTPAddr (PLUGIN_HEALTH_HTTP_ADDR) requires client certificates and the kubelet shows none: " +
			"set TLS.ClientOptional (PLUGIN_HEALTH_TLS_CLIENT_AUTH=optional), or HealthGRPCAddr and HealthGRPCPlaintext")
	}
	k.HTTPS = cfg.HTTPTLS != nil || files
	k.HTTPPort, err = port("HTTPAddr (PLUGIN_HEALTH_HTTP_ADDR)", cfg.HTTPAddr)
	return err
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
