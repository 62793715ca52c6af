package servicer

import (
	"context"
	"fmt"
	"net"
	"strings"
)

// DetailsPolicy says who may see raw causes. The zero value is DetailsNever.
type DetailsPolicy uint8

// The policies.
const (
	// DetailsNever shows raw causes to nobody; the log has them.
	DetailsNever DetailsPolicy = iota
	// DetailsLocal shows them to callers on this machine: from a loopback address or a Unix socket, with no header
	// that tells of a proxy, because a sidecar forwards strangers from a loopback address too. A proxy that adds no
	// header, such as one that forwards bytes, cannot be told from a local caller: use it only where there is none.
	DetailsLocal
	// DetailsAlways shows them to everybody.
	DetailsAlways
)

var detailsNames = [...]string{"never", "local", "always"}

// String returns never, local or always.
func (p DetailsPolicy) String() string {
	if p.known() {
		return detailsNames[p]
	}
	return fmt.Sprintf("details(%d)", uint8(p))
}

// MarshalText implements encoding.TextMarshaler with String.
func (p DetailsPolicy) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler: it reads what MarshalText writes and refuses all else.
func (p *DetailsPolicy) UnmarshalText(text []byte) error {
	for i, name := range detailsNames {
		if string(text) == name {
			*p = DetailsPolicy(i)
			return nil
		}
	}
	return fmt.Errorf("servicer: %q is not a policy for details (never, local, always)", text)
}

func (p DetailsPolicy) known() bool { return int(p) < len(detailsNames) }

// Details decides who may see raw causes, at every door. It is plain data and safe for concurrent use.
type Details struct {
	// Policy decides if Authorize is nil.
	Policy DetailsPolicy
	// Authorize decides in the place of Policy. It is called once for each answer that could hold details, possibly
	// at the same time from many goroutines; if it panics, the answer is no.
	Authorize func(context.Context, Caller) bool
}

// Caller is who asks, as far as a door can tell.
type Caller struct {
	// Network is that of the connection: tcp, unix.
	Network string
	// Address is the peer's: host and port, or a socket's path. Nothing that the caller has claimed about itself.
	Address string
	// Header of the request: metadata.MD and http.Header fit as they are. Names are compared without regard to case.
	Header map[string][]string
}

// Allow reports whether caller may see raw causes.
func (d Details) Allow(ctx context.Context, caller Caller) (allowed bool) {
	if d.Authorize != nil {
		// Failing to decide must not open the door, and must not end the process either.
		defer func() {
			if recover() != nil {
				allowed = false
			}
		}()
		return d.Authorize(ctx, caller)
	}
	switch d.Policy {
	case DetailsAlways:
		return true
	case DetailsLocal:
		return caller.local() && !caller.forwarded()
	default:
		return false
	}
}

// ever reports whether anybody could be allowed.
func (d Details) ever() bool { return d.Authorize != nil || d.Policy != DetailsNever }

func (c Caller) local() bool {
	switch c.Network {
	case "unix":
		return true
	case "tcp", "tcp4", "tcp6":
		host, _, err := net.SplitHostPort(c.Address)
		if err != nil {
			return false
		}
		host, _, _ = strings.Cut(host, "%")
		ip := net.ParseIP(host)
		return ip != nil && ip.IsLoopback()
	default:
		return false
	}
}

// forwarded reports whether the request has passed a proxy that says so. Names that no list holds yet slip through;
// the prefixes cover the families of the usual proxies and meshes.
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
