package main

import (
	"cmp"
	"fmt"
	"io"
	"net"
	"strings"
)

// announce prints the addresses of the server and commands to try, which need only Go and curl. Self is the command that
// runs this program.
func announce(w io.Writer, cfg config, addr net.Addr, self string) {
	at := reachable(addr.String())
	security, probe := "plaintext", ""
	if cfg.tls != nil {
		security, probe = "TLS", " -tls -tls-no-verify"
		if cfg.tls.ClientCAs != nil {
			security = "mutual TLS"
			probe += " -tls-client-cert CERT -tls-client-key KEY"
		}
	}
	web, ask := "off", "curl"
	if cfg.health.HTTPAddr != "" {
		web = "http://" + reachable(cfg.health.HTTPAddr)
		if cfg.health.TLS.Cert != "" {
			web, ask = "https://"+reachable(cfg.health.HTTPAddr), "curl --insecure"
		}
	}
	fmt.Fprintf(w, `inventory.v1.Inventory on %s (%s)
health: %s

try in another terminal:
  %s healthcheck -addr %s -service readiness%s
`, at, security, web, self, at, probe)
	if cfg.health.HTTPAddr != "" {
		fmt.Fprintf(w, "  %s '%s/ready?verbose'\n", ask, web)
		fmt.Fprintf(w, "  %s %s/health          # a page in a browser\n", ask, web)
	}
	if cfg.tls == nil && strings.HasPrefix(self, "go run") {
		fmt.Fprintf(w, "  go run ./examples/client -addr %s\n", at)
	}
	fmt.Fprintf(w, "\nCtrl-C drains and ends it; %s -h lists the settings\n", self)
}

// program returns the command that runs the program again: go run builds it in a folder that is removed afterwards.
func program(path string) string {
	if strings.Contains(path, "go-build") {
		return "go run ./examples/server"
	}
	return path
}

func (cfg config) storage() string {
	if cfg.postgres != "" {
		return "PostgreSQL"
	}
	return cfg.sqlite
}

// extras lists the optional dependencies that are configured.
func (cfg config) extras() string {
	var names []string
	for _, extra := range [][2]string{{"a cache", cfg.redis}, {"prices", cfg.prices}, {"an upstream", cfg.upstream}} {
		if extra[1] != "" {
			names = append(names, extra[0])
		}
	}
	if len(names) == 0 {
		return ""
	}
	return ", with " + strings.Join(names, ", ")
}

// reachable turns an address to listen on into one to connect to.
func reachable(addr string) string {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return addr
	}
	if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
		host = ""
	}
	return net.JoinHostPort(cmp.Or(host, "localhost"), port)
}
