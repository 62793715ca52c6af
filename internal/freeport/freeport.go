// Package freeport reserves TCP ports for servers of tests and examples that start, and restart, at a given address. A
// reservation holds across processes, because many test binaries run at the same time.
package freeport

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"strconv"
)

// The range is below the ephemeral ports of common systems.
const first, end = 20_000, 32_000

// Take returns a free TCP port on loopback that no other call of Take returns, in any process, until ctx is done. It
// holds the UDP port of the same number, which the system releases when the process ends. Without a cancelable ctx the
// port is not reserved.
func Take(ctx context.Context) (port int, err error) {
	for range 1000 {
		port := first + rand.IntN(end-first)
		if err = try(ctx, port); err == nil {
			return port, nil
		}
	}
	return 0, fmt.Errorf("freeport: no free port: %w", err)
}

func try(ctx context.Context, port int) error {
	var config net.ListenConfig
	address := net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
	kept, err := config.ListenPacket(ctx, "udp", address)
	if err != nil {
		return err
	}
	lis, err := config.Listen(ctx, "tcp", address)
	if err != nil {
		_ = kept.Close()
		return err
	}
	context.AfterFunc(ctx, func() { _ = kept.Close() })
	return lis.Close()
}
