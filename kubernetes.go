package vitals

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strconv"

	"github.com/vitals-go/vitals/probes/kubernetes"
)

// Kubernetes returns the input of kubernetes.Probes: the checks, the drain, and the listener for the kubelet, which is
// HealthGRPCAddr if that has no TLS, otherwise HTTPAddr. Change the result to probe another port or by a command. The error
// joins all mistakes in the checks, a listener without a fixed port, and listeners that the kubelet cannot use: its gRPC
// probes do not support TLS, and its HTTPS probes accept any certificate but present none.
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
		return errors.New("vitals: HealthGRPCAddr (PLUGIN_HEALTH_GRPC_ADDR) has TLS, which the kubelet's gRPC probes do not support: " +
			"set HealthGRPCPlaintext (PLUGIN_HEALTH_GRPC_PLAINTEXT) or open HTTPAddr (PLUGIN_HEALTH_HTTP_ADDR)")
	case cfg.HTTPAddr == "":
		return nil
	}
	clientAuth := cfg.TLS.clientAuth()
	if cfg.HTTPTLS != nil {
		clientAuth = cfg.HTTPTLS.ClientAuth
	}
	if clientAuth == tls.RequireAnyClientCert || clientAuth == tls.RequireAndVerifyClientCert {
		return errors.New("vitals: HTTPAddr (PLUGIN_HEALTH_HTTP_ADDR) requires client certificates and the kubelet presents none: " +
			"set TLS.ClientOptional (PLUGIN_HEALTH_TLS_CLIENT_AUTH=optional), or HealthGRPCAddr and HealthGRPCPlaintext")
	}
	k.HTTPS = cfg.HTTPTLS != nil || files
	k.HTTPPort, err = port("HTTPAddr (PLUGIN_HEALTH_HTTP_ADDR)", cfg.HTTPAddr)
	return err
}

// port returns the port of addr. The kubelet connects to the address of the pod, so loopback is an error.
func port(field, addr string) (int, error) {
	host, text, err := net.SplitHostPort(addr)
	if err != nil {
		return 0, fmt.Errorf("vitals: %s: %w", field, err)
	}
	if ip := net.ParseIP(host); host == "localhost" || ip.IsLoopback() {
		return 0, fmt.Errorf("vitals: %s is %q: the kubelet connects to the address of the pod", field, addr)
	}
	n, err := strconv.ParseUint(text, 10, 16)
	if err != nil || n == 0 {
		return 0, fmt.Errorf("vitals: %s is %q: want a port number", field, addr)
	}
	return int(n), nil
}
