package servicer

import (
	"context"
	"fmt"

	"github.com/vitals-go/vitals/servicer/bearer"
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
	// DetailsCertificate shows them to callers whose TLS client certificate the listener has verified, with no header that
	// tells of a proxy, because a proxy shows its own certificate for whomever it lets through. Anybody whom the
	// listener's authorities have given a certificate may see them then.
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

// UnmarshalText implements encoding.TextUnmarshaler: it reads what MarshalText writes and refuses all else.
func (p *DetailsPolicy) UnmarshalText(text []byte) error {
	for i, name := range detailsNames {
		if string(text) == name {
			*p = DetailsPolicy(i)
			return nil
		}
	}
	return fmt.Errorf("servicer: %q is not a policy for details (never, local, always, certificate)", text)
}

func (p DetailsPolicy) known() bool { return int(p) < len(detailsNames) }

// Details decides who may see raw causes, at every door. It is plain data and safe for concurrent use.
type Details struct {
	// Policy decides if Authorize is nil.
	Policy DetailsPolicy
	// Authorize decides in the place of Policy. It is called for each answer, and each message of a stream, that could
	// hold details, possibly at the same time from many goroutines, and strangers choose how often; if it panics, the
	// answer is no.
	Authorize func(context.Context, Caller) bool
	// Tokens lets callers with one of these bearer tokens see them, beside those whom Policy or Authorize allow. Default:
	// none.
	Tokens *bearer.Tokens
}

// Allow reports whether caller may see raw causes.
func (d Details) Allow(ctx context.Context, caller Caller) bool {
	// Who is allowed anyhow may show credentials that are meant for somebody else.
	return d.decide(ctx, caller) || d.Tokens != nil && d.Tokens.Allow(ctx, caller.Header)
}

func (d Details) decide(ctx context.Context, caller Caller) (allowed bool) {
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
	case DetailsCertificate:
		return caller.Certificate != nil && !caller.forwarded()
	default:
		return false
	}
}

// Enabled reports whether anybody could be allowed: a door asks nothing about its callers where nobody is.
func (d Details) Enabled() bool {
	return d.Authorize != nil || d.Tokens != nil || d.Policy != DetailsNever
}
