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
		lis, err := net.Listen("tcp", Addr(port))
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

func accepts(addr string) error {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		return fmt.Errorf("%s does not accept connections: %w", addr, err)
	}
	return conn.Close()
}

// Listen listens on a loopback port.
func Listen(port int) (net.Listener, error) { return net.Listen("tcp", Addr(port)) }
