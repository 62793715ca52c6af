package probes

import (
	"net"
	"net/http"
	"net/netip"
	"strings"

	"github.com/vitals-go/vitals/internal/pki"
	"github.com/vitals-go/vitals/servicer"
)

// viewer is for whom an answer is made.
type viewer uint8

// The audiences. The zero value sees no raw cause.
const (
	untrusted viewer = iota
	trusted
	viewers
)

// viewer says for whom the answer to r is made. The caller is known by its connection, never by what it claims.
func (h *Handler) viewer(r *http.Request) viewer {
	details := h.details
	if !details.Enabled() {
		return untrusted
	}
	if details.Policy == servicer.DetailsLocal && !localHost(r.Host) {
		details.Policy = servicer.DetailsNever
	}
	caller := servicer.Caller{Address: r.RemoteAddr, Header: r.Header}
	if local, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr); ok {
		caller.Network = local.Network()
	}
	if r.TLS != nil {
		caller.Certificate = pki.Verified(r.TLS.VerifiedChains)
	}
	if details.Allow(r.Context(), caller) {
		return trusted
	}
	return untrusted
}

// localHost reports whether a Host header is one that a local caller uses: empty, localhost or an address. Any other
// name may be a stranger's, pointed at this machine so that a browser on it reads our answer to the stranger's page.
func localHost(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.Trim(host, "[]")
	if host == "" || strings.EqualFold(host, "localhost") {
		return true
	}
	_, err := netip.ParseAddr(host)
	return err == nil
}
