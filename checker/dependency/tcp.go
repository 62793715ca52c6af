package dependency

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"strings"
	"time"
)

// TCPConfig configures TCP.
type TCPConfig struct {
	// Addr is host:port, or unix:/path for a Unix socket. Required.
	Addr string
	// TLS adds a TLS handshake. Default nil: none.
	TLS *tls.Config
}

// TCP returns a function that opens and closes a connection.
func TCP(cfg TCPConfig) (func(context.Context) error, error) {
	if err := validAddress("TCPConfig.Addr", cfg.Addr); err != nil {
		return nil, err
	}
	return func(ctx context.Context) error {
		_, release, err := dial(ctx, cfg.Addr, cfg.TLS)
		if err != nil {
			return explain(err, cfg.Addr)
		}
		release()
		return nil
	}, nil
}

// splitAddress returns the network of addr, "unix:/path" or host:port, and its address there.
func splitAddress(addr string) (network, address string) {
	if path, ok := strings.CutPrefix(addr, "unix:"); ok {
		return "unix", path
	}
	return "tcp", addr
}

// required returns the mistake of leaving field out.
func required(field string, set bool) error {
	if set {
		return nil
	}
	return fmt.Errorf("dependency: %s is required", field)
}

// validAddress returns the mistake in addr, naming the field.
func validAddress(field, addr string) error {
	network, address := splitAddress(addr)
	if network == "unix" {
		if address == "" {
			return fmt.Errorf("dependency: %s: %q has no path", field, addr)
		}
		return nil
	}
	host, port, err := net.SplitHostPort(addr)
	if err != nil || host == "" || port == "" {
		return fmt.Errorf("dependency: %s: got %q, want host:port or unix:/path", field, addr)
	}
	return nil
}

// dial connects, with TLS if config is not nil. The connection fails when ctx ends; release closes it.
func dial(ctx context.Context, addr string, config *tls.Config) (conn net.Conn, release func(), err error) {
	network, address := splitAddress(addr)
	var dialer net.Dialer
	raw, err := dialer.DialContext(ctx, network, address)
	if err != nil {
		return nil, nil, err
	}
	if deadline, ok := ctx.Deadline(); ok {
		_ = raw.SetDeadline(deadline)
	}
	stop := context.AfterFunc(ctx, func() { _ = raw.SetDeadline(time.Unix(1, 0)) })
	release = func() { stop(); _ = raw.Close() }
	if config == nil {
		return raw, release, nil
	}
	secured := tls.Client(raw, named(config, address))
	if err := secured.HandshakeContext(ctx); err != nil {
		release()
		return nil, nil, err
	}
	return secured, release, nil
}

// named returns config with the server name for the verification of the certificate.
func named(config *tls.Config, address string) *tls.Config {
	config = config.Clone()
	if config.ServerName == "" {
		if host, _, err := net.SplitHostPort(address); err == nil {
			config.ServerName = host
		}
	}
	return config
}
