package testdeps

import (
	"fmt"
	"math/rand/v2"
	"net"
	"strconv"
	"testing"
)

// Port returns a loopback port that was free a moment ago, below the range from which the system gives ports to
// outgoing connections, so that none of them takes it before its server does.
func Port(t testing.TB) int {
	t.Helper()
	for range 100 {
		port := 20_000 + rand.IntN(12_000)
		lis, err := Listen(t, port)
		if err != nil {
			continue
		}
		if err := lis.Close(); err != nil {
			t.Fatal(err)
		}
		return port
	}
	t.Fatal("no free port found")
	return 0
}

// Addr is the loopback address of a port.
func Addr(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }

func accepts(t testing.TB, addr string) error {
	var dialer net.Dialer
	conn, err := dialer.DialContext(t.Context(), "tcp", addr)
	if err != nil {
		return fmt.Errorf("%s does not accept connections: %w", addr, err)
	}
	return conn.Close()
}

// Listen listens on a loopback port.
func Listen(t testing.TB, port int) (net.Listener, error) {
	var config net.ListenConfig
	return config.Listen(t.Context(), "tcp", Addr(port))
}
