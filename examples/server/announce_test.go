package main

import (
	"net"
	"strings"
	"testing"

	"github.com/vitals-go/vitals"
)

func TestWhatToTryCanBeTried(t *testing.T) {
	for _, tt := range []struct {
		name, addr, cert, want string
	}{
		{"plaintext", ":8080", "", "  curl http://localhost:8080/health "},
		{"TLS", ":8080", "cert.pem", "  curl --insecure https://localhost:8080/health "},
		{"an address of its own", "127.0.0.1:8081", "", "  curl http://127.0.0.1:8081/health "},
		{"the probe", "", "", "  go run ./examples/server healthcheck -addr localhost:50051 -service readiness\n"},
		{"no HTTP", "", "", "health: off\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var out strings.Builder
			cfg := config{health: vitals.Config{HTTPAddr: tt.addr, TLS: vitals.TLSFiles{Cert: tt.cert}}}
			announce(&out, cfg, &net.TCPAddr{Port: 50051}, program("/tmp/go-build1/exe/server"))
			if !strings.Contains(out.String(), tt.want) {
				t.Errorf("want %q in\n%s", tt.want, out.String())
			}
		})
	}
}
