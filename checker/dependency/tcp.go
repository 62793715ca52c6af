package dependency

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/vitals-go/vitals/internal/safefile"
)

// TCPConfig configures TCP.
type TCPConfig struct {
	// Addr is host:port, unix:/path for a Unix socket, or one of gRPC's names for one of them, such as dns:///host:port. A
	// relative path is relative to the working directory at the time of the call of TCP. Required.
	Addr string
	// TLS adds a TLS handshake. Default nil: none.
	TLS *tls.Config
}

// TCP returns a function that opens and closes a connection.
func TCP(cfg TCPConfig) (func(context.Context) error, error) {
	if err := resolve("TCPConfig.Addr", &cfg.Addr); err != nil {
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

// splitAddress returns the network of an address that resolve has returned, and its address there.
func splitAddress(addr string) (network, address string) {
	if path, ok := strings.CutPrefix(addr, "unix:"); ok {
		return "unix", path
	}
	return "tcp", addr
}

// maxSocketPath is the length, in bytes, of the longest path of a Unix socket on every system.
const maxSocketPath = 103

// required returns the mistake of leaving field out.
func required(field string, set bool) error {
	if set {
		return nil
	}
	return fmt.Errorf("dependency: %s is required", field)
}

// resolve turns addr into host:port or unix:path, with an absolute path. It returns the mistake in it, naming the field.
func resolve(field string, addr *string) error {
	text := *addr
	if name, ok := strings.CutPrefix(text, "unix-abstract:"); ok && name != "" {
		*addr = "unix:@" + name
		return nil
	}
	if path, ok := strings.CutPrefix(text, "unix:"); ok {
		if path == "" {
			return fmt.Errorf("dependency: %s: %q has no path", field, text)
		}
		if abs := safefile.Abs(path); path[0] != '@' && len(abs) <= maxSocketPath {
			*addr = "unix:" + abs
		}
		return nil
	}
	for _, scheme := range []string{"", "dns:///", "passthrough:///", "ipv4:", "ipv6:"} {
		rest, ok := strings.CutPrefix(text, scheme)
		if host, port, err := net.SplitHostPort(rest); ok && err == nil && host != "" && port != "" && !strings.Contains(port, "/") {
			*addr = rest
			return nil
		}
	}
	return fmt.Errorf("dependency: %s: got %q, want host:port or unix:/path", field, text)
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
			config.ServerName, _, _ = strings.Cut(host, "%") // certificates have no zones
		}
	}
	return config
}
