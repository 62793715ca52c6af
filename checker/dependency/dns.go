package dependency

import (
	"cmp"
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
	mistakes := []error{required("DNSConfig.Name", cfg.Name != "")}
	for i, addr := range cfg.Want {
		if !addr.IsValid() {
			mistakes = append(mistakes, fmt.Errorf("dependency: DNSConfig.Want[%d]: invalid address", i))
		}
	}
	if err := errors.Join(mistakes...); err != nil {
		return nil, err
	}
	cfg.Resolver = cmp.Or(cfg.Resolver, net.DefaultResolver)
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
	wanted := func(addr netip.Addr) bool { return slices.Contains(found, addr.Unmap()) }
	if len(cfg.Want) == 0 && len(found) > 0 || slices.ContainsFunc(cfg.Want, wanted) {
		return nil
	}
	return fmt.Errorf("%s has the addresses %v, none of %v: check the record and caches", cfg.Name, found, cfg.Want)
}
