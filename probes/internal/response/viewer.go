package response

import (
	"net"
	"net/http"
	"net/netip"
	"strings"

	"github.com/vitals-go/vitals/internal/pki"
	"github.com/vitals-go/vitals/servicer"
)

// Viewer is the class of callers for which a response is rendered.
type Viewer uint8

// The viewers. Only Trusted sees raw errors.
const (
	Untrusted Viewer = iota
	Trusted
	Viewers
)

// ViewerOf returns the viewer of the response to r, by the connection and what details accepts as proof.
func ViewerOf(details servicer.Details, r *http.Request) Viewer {
	if !details.Enabled() {
		return Untrusted
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
		return Trusted
	}
	return Untrusted
}

// localHost reports whether a Host header is one that a local caller uses: empty, localhost or an address. Any other name
// may be a foreign one that resolves to this machine (DNS rebinding), so that a foreign page reads our response.
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
