package dependency

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
)

// DNSConfig configures DNS.
type DNSConfig struct {
	// Name is the host name. Required. A trailing dot excludes search domains.
	Name string
	// Want are addresses of which at least one must be found. Default: any address.
	Want []netip.Addr
	// Resolver to use. Default: net.DefaultResolver.
	Resolver *net.Resolver
}

// DNS returns a function that resolves a host name to IPv4 and IPv6 addresses.
func DNS(cfg DNSConfig) (func(context.Context) error, error) {
	var mistakes []error
	if cfg.Name == "" {
		mistakes = append(mistakes, errors.New("dependency: DNSConfig.Name is required"))
	}
	for i, addr := range cfg.Want {
		if !addr.IsValid() {
			mistakes = append(mistakes, fmt.Errorf("dependency: DNSConfig.Want[%d]: invalid address", i))
		}
	}
	if mistakes != nil {
		return nil, errors.Join(mistakes...)
	}
	if cfg.Resolver == nil {
		cfg.Resolver = net.DefaultResolver
	}
	return cfg.run, nil
}

func (cfg DNSConfig) run(ctx context.Context) error {
	found, err := cfg.Resolver.LookupNetIP(ctx, "ip", cfg.Name)
	if err != nil {
		return explain(err, cfg.Name)
	}
	for i := range found {
		found[i] = found[i].Unmap()
	}
	if len(cfg.Want) == 0 && len(found) > 0 {
		return nil
	}
	for _, want := range cfg.Want {
		if slices.Contains(found, want.Unmap()) {
			return nil
		}
	}
	return fmt.Errorf("%s has the addresses %v, none of %v: is the record right, or an old one still cached?", cfg.Name, found, cfg.Want)
}
