package testdeps

import (
	"net"
	"testing"

	"github.com/vitals-go/vitals/internal/e2e/rig"
)

// Port returns a loopback port that is the test's until it ends; see rig.Port.
func Port(t testing.TB) int {
	t.Helper()
	port, err := rig.Port(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return port
}

// Addr is the loopback address of a port.
func Addr(port int) string { return rig.Addr(port) }

// Listen listens on a loopback port.
func Listen(t testing.TB, port int) (net.Listener, error) { return rig.Listen(t.Context(), port) }
