package rig

import (
	"context"
	"fmt"
	"net"
	"strconv"
	"time"

	"github.com/vitals-go/vitals/internal/freeport"
)

// Port returns a loopback port on which nobody listens, and gives it to nobody else until ctx ends; see freeport.Take.
func Port(ctx context.Context) (int, error) { return freeport.Take(ctx) }

// Addr is the loopback address of a port.
func Addr(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }

// Listen listens on a loopback port.
func Listen(ctx context.Context, port int) (net.Listener, error) {
	var config net.ListenConfig
	return config.Listen(ctx, "tcp", Addr(port))
}

func accepts(ctx context.Context, addr string) error {
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, "tcp", addr)
	if err != nil {
		return fmt.Errorf("%s does not accept connections: %w", addr, err)
	}
	return conn.Close()
}

// Eventually asks until the answer is nil, and returns the last answer when it takes longer than within, or ctx ends.
func Eventually(ctx context.Context, within time.Duration, ask func() error) error {
	deadline := time.NewTimer(within)
	defer deadline.Stop()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		err := ask()
		if err == nil {
			return nil
		}
		select {
		case <-tick.C:
		case <-deadline.C:
			return fmt.Errorf("not within %v: %w", within, err)
		case <-ctx.Done():
			return fmt.Errorf("%w: %w", context.Cause(ctx), err)
		}
	}
}
