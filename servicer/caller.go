package servicer

import (
	"context"
	"crypto/x509"
	"net"
	"strings"

	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"

	"github.com/vitals-go/vitals/internal/pki"
)

// Caller is what is known about the sender of a request.
type Caller struct {
	// Network is that of the connection: tcp, unix.
	Network string
	// Address is that of the connection's peer: host and port, or the path of a socket.
	Address string
	// Certificate is the peer's, nil unless the listener has verified it.
	Certificate *x509.Certificate
	// Header is that of the request, a metadata.MD or http.Header. Names are compared without regard to case.
	Header map[string][]string
}

// callerOf returns the caller of a gRPC method.
func callerOf(ctx context.Context) Caller {
	var caller Caller
	if p, ok := peer.FromContext(ctx); ok {
		if p.Addr != nil {
			caller.Network, caller.Address = p.Addr.Network(), p.Addr.String()
		}
		if info, secured := p.AuthInfo.(credentials.TLSInfo); secured {
			caller.Certificate = pki.Verified(info.State.VerifiedChains)
		}
	}
	caller.Header, _ = metadata.FromIncomingContext(ctx)
	return caller
}

func (c Caller) local() bool {
	switch c.Network {
	case "unix":
		return true
	case "tcp", "tcp4", "tcp6":
		host, _, _ := net.SplitHostPort(c.Address) // "", which is no IP address, after an error
		host, _, _ = strings.Cut(host, "%")
		return net.ParseIP(host).IsLoopback()
	default:
		return false
	}
}

// forwarded reports whether the request has a header of a proxy. The prefixes cover the usual proxies and meshes.
func (c Caller) forwarded() bool {
	for name := range c.Header {
		name = strings.ToLower(name)
		switch name {
		case "forwarded", "via", "x-real-ip", "x-client-ip", "x-cluster-client-ip", "x-original-forwarded-for",
			"true-client-ip", "cf-connecting-ip", "fastly-client-ip", "x-azure-clientip", "x-appengine-user-ip",
			"x-request-from", "x-original-host", "x-amzn-trace-id", "x-cloud-trace-context":
			return true
		}
		for _, family := range []string{"x-forwarded", "x-envoy-", "l5d-", "x-proxyuser-"} {
			if strings.HasPrefix(name, family) {
				return true
			}
		}
	}
	return false
}
