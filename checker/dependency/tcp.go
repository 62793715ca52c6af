package dependency

import (
	"context"
	"crypto/tls"
)

// TCPConfig says what TCP connects to.
type TCPConfig struct {
	// Addr is host:port, or unix:/path for a Unix socket. Required.
	Addr string
	// TLS makes the check complete a TLS handshake too. Default nil: none.
	TLS *tls.Config
}

// TCP returns a function that connects, which proves that somebody listens, and hangs up.
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
