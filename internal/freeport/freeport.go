// Package freeport finds ports for servers that are told where to listen, and may start there again: those of tests and
// examples. A port that was free a moment ago is not enough. Whoever asks next may be given it too while its server has
// not started yet or has been taken away, and many test binaries run at once.
package freeport

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"strconv"
)

// The ports below those that systems give to outgoing connections, so that none of these takes one.
const first, end = 20_000, 32_000

// Take returns a TCP port on loopback on which nobody listens, and gives it to nobody else until ctx ends, in whatever
// process they ask. What keeps it is the UDP port of that number: it shuts no TCP server out, and the system gives it
// back however the process ends. A ctx that never ends keeps nothing.
func Take(ctx context.Context) (port int, err error) {
	for range 1000 {
		port := first + rand.IntN(end-first)
		if err = try(ctx, port); err == nil {
			return port, nil
		}
	}
	return 0, fmt.Errorf("no free port found: %w", err)
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
