package servicer

import (
	"context"
	"fmt"

	"github.com/vitals-go/vitals/servicer/bearer"
)

// DetailsPolicy is which callers see raw causes. The zero value is DetailsNever.
type DetailsPolicy uint8

// The policies.
const (
	// DetailsNever shows raw causes to no caller; the log has them.
	DetailsNever DetailsPolicy = iota
	// DetailsLocal shows them to callers with a loopback address or a Unix socket, unless a header of a proxy is present:
	// a sidecar forwards remote callers from a loopback address. A proxy that adds no header, such as one that forwards
	// bytes, looks like a local caller: do not use this policy behind one.
	DetailsLocal
	// DetailsAlways shows them to every caller.
	DetailsAlways
	// DetailsCertificate shows them to callers with a TLS client certificate that the listener has verified, unless a
	// header of a proxy is present: a proxy presents its own certificate. It includes every holder of a certificate of
	// the listener's authorities.
	DetailsCertificate
)

var detailsNames = [...]string{"never", "local", "always", "certificate"}

// String returns never, local, always or certificate.
func (p DetailsPolicy) String() string {
	if p.known() {
		return detailsNames[p]
	}
	return fmt.Sprintf("details(%d)", uint8(p))
}

// MarshalText implements encoding.TextMarshaler with String.
func (p DetailsPolicy) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler: it accepts what MarshalText returns.
func (p *DetailsPolicy) UnmarshalText(text []byte) error {
	for i, name := range detailsNames {
		if string(text) == name {
			*p = DetailsPolicy(i)
			return nil
		}
	}
	return fmt.Errorf("servicer: unknown details policy %q; have never, local, always, certificate", text)
}

func (p DetailsPolicy) known() bool { return int(p) < len(detailsNames) }

// Details decides which callers see raw causes, at every endpoint. It is plain data and safe for concurrent use.
type Details struct {
	// Policy applies if Authorize is nil.
	Policy DetailsPolicy
	// Authorize replaces Policy. It is called concurrently, for each response and each message of a stream that could hold
	// details, so remote callers choose how often. A panic counts as false.
	Authorize func(context.Context, Caller) bool
	// Tokens also allows callers with one of these bearer tokens. Default: none.
	Tokens *bearer.Tokens
}

// Allow reports whether caller may see raw causes.
func (d Details) Allow(ctx context.Context, caller Caller) bool {
	// Tokens last: a caller that is allowed already may send credentials for another service.
	return d.decide(ctx, caller) || d.Tokens != nil && d.Tokens.Allow(ctx, caller.Header)
}

func (d Details) decide(ctx context.Context, caller Caller) (allowed bool) {
	if d.Authorize != nil {
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
	case DetailsCertificate:
		return caller.Certificate != nil && !caller.forwarded()
	default:
		return false
	}
}

// Enabled reports whether any caller could be allowed.
func (d Details) Enabled() bool {
	return d.Authorize != nil || d.Tokens != nil || d.Policy != DetailsNever
}
