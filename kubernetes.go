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
// HealthGRPCAddr if that has no TLS, otherwise HTTPAddr, and HealthGRPCAddr with TLS if it is the only one; see
// kubernetes.Config.GRPCTLS. Change the result to probe another port or by a command. The error joins all mistakes in the
// checks, a listener without a fixed port, and listeners that the kubelet cannot use: it accepts any certificate but
// presents none.
func (cfg Config) Kubernetes() (kubernetes.Config, error) {
	checks, err := cfg.allChecks()
	k := kubernetes.Config{Checks: checks, DrainDelay: cfg.DrainDelay, ShutdownTimeout: cfg.ShutdownTimeout}
	return k, errors.Join(err, cfg.kubeletListener(&k))
}

func (cfg Config) kubeletListener(k *kubernetes.Config) (err error) {
	files := cfg.TLS.wanted()
	secureGRPC := cfg.HealthGRPCTLS != nil || files && !cfg.HealthGRPCPlaintext
	field, addr, secure, own := "HTTPAddr", cfg.HTTPAddr, cfg.HTTPTLS != nil || files, cfg.HTTPTLS
	listener, isSecure := &k.HTTPPort, &k.HTTPS
	if cfg.HealthGRPCAddr != "" && (!secureGRPC || cfg.HTTPAddr == "") {
		field, addr, secure, own = "HealthGRPCAddr", cfg.HealthGRPCAddr, secureGRPC, cfg.HealthGRPCTLS
		listener, isSecure = &k.GRPCPort, &k.GRPCTLS
	}
	if addr == "" {
		return nil
	}
	field = field + " (" + addressVariable(field) + ")"
	clientAuth := cfg.TLS.clientAuth()
	if own != nil {
		clientAuth = own.ClientAuth
	}
	if secure && (clientAuth == tls.RequireAnyClientCert || clientAuth == tls.RequireAndVerifyClientCert) {
		return errors.New("vitals: " + field + " requires client certificates and the kubelet presents none: " +
			"set TLS.ClientOptional (PLUGIN_HEALTH_TLS_CLIENT_AUTH=optional), or HealthGRPCAddr and HealthGRPCPlaintext")
	}
	*isSecure = secure
	*listener, err = port(field, addr)
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
