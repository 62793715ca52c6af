package main

import (
	"cmp"
	"fmt"
	"io"
	"net"
	"strings"
)

// announce prints the addresses of the server and commands to try.
func announce(w io.Writer, cfg config, addr net.Addr) {
	at := reachable(addr.String())
	security, curl, probe := "plaintext", "-plaintext", ""
	if cfg.tls != nil {
		security, curl, probe = "TLS", "-insecure", " -tls -tls-no-verify"
		if cfg.tls.ClientCAs != nil {
			security, curl = "mutual TLS", "-insecure -cert CERT -key KEY"
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
	fmt.Fprintf(w, `inventory.v1.Inventory on %s (%s), data in %s%s
health: %s

try:
  grpcurl %s -d '{"item": {"sku": "bolt", "name": "Bolt 5x20", "quantity": 7}}' %s inventory.v1.Inventory/Put
  grpcurl %s -d '{"sku": "bolt"}' %s inventory.v1.Inventory/Get
  grpc_health_probe -addr %s -service readiness%s
`, at, security, cfg.storage(), cfg.extras(), web, curl, at, curl, at, at, probe)
	if cfg.health.HTTPAddr != "" {
		fmt.Fprintf(w, "  %s %s/health\n", ask, web)
	}
	if cfg.tls == nil {
		fmt.Fprintf(w, "  go run ./examples/client -addr %s\n", at)
	}
	fmt.Fprintln(w, "\nCtrl-C drains and ends it; server -h lists the settings")
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
