// Package target reads the addresses of gRPC servers that are given to a probe.
package target

import (
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strings"
)

// Parse returns addr as grpc.NewClient takes it, and the host if it has one. Addr is host:port or a name in gRPC's syntax:
// of the schemes that grpc-go knows, of any scheme with a slash, or ipv4: and ipv6: with one address, which grpc-go does not
// know.
func Parse(addr string) (target, host string, err error) {
	scheme, rest, _ := strings.Cut(addr, ":")
	switch {
	case scheme == "ipv4", scheme == "ipv6":
		rest = strings.ReplaceAll(rest, "%25", "%") // a zone in a URI
		if _, err := netip.ParseAddrPort(rest); err != nil {
			return "", "", fmt.Errorf("got %q, want one address with a port: %w", addr, err)
		}
	case slices.Contains([]string{"dns", "passthrough", "unix", "unix-abstract"}, scheme), strings.Contains(addr, ":/"):
		return addr, "", nil
	default:
		rest = addr
	}
	host, port, err := net.SplitHostPort(rest)
	if err != nil || port == "" {
		return "", "", fmt.Errorf("got %q, want host:port or a name such as unix:///path", addr)
	}
	return "dns:///" + url.PathEscape(rest), host, nil // a zone follows a percent sign
}
