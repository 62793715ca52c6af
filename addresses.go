package vitals

import (
	"context"
	"errors"
	"fmt"
	"net"
)

// addressErrors tells of addresses that nobody can listen at, each by what name makes of its field, without trying.
func (cfg Config) addressErrors(name func(field string) string) error {
	var errs []error
	for _, field := range []struct{ name, addr string }{{"HTTPAddr", cfg.HTTPAddr}, {"HealthGRPCAddr", cfg.HealthGRPCAddr}} {
		if field.addr == "" {
			continue
		}
		if err := listenable(field.addr); err != nil {
			errs = append(errs, fmt.Errorf("%s: %q is no address such as :8080 or 127.0.0.1:8080: %w", name(field.name), field.addr, err))
		}
	}
	return errors.Join(errs...)
}

func listenable(addr string) error {
	_, port, err := net.SplitHostPort(addr)
	if err != nil {
		return err
	}
	if port == "" {
		return errors.New("no port")
	}
	_, err = new(net.Resolver).LookupPort(context.Background(), "tcp", port) // a number, or a name as of a service
	return err
}

// addressVariable is what fills an address from the environment.
func addressVariable(field string) string {
	if field == "HTTPAddr" {
		return httpAddrVariable
	}
	return grpcAddrVariable
}

// addressField is how New and Serve call the field of an address.
func addressField(field string) string {
	return "vitals: " + field + " (" + addressVariable(field) + ")"
}
