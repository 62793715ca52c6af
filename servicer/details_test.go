package servicer_test

import (
	"context"
	"net/http"
	"testing"

	"google.golang.org/grpc/metadata"

	"github.com/vitals-go/vitals/servicer"
)

func TestDetailsPolicies(t *testing.T) {
	t.Parallel()
	local := servicer.Caller{Network: "tcp", Address: "127.0.0.1:4711"}
	remote := servicer.Caller{Network: "tcp", Address: "10.1.2.3:4711"}
	for name, tc := range map[string]struct {
		policy        servicer.DetailsPolicy
		local, remote bool
	}{
		"never":                            {servicer.DetailsNever, false, false},
		"local":                            {servicer.DetailsLocal, true, false},
		"always":                           {servicer.DetailsAlways, true, true},
		"certificate":                      {servicer.DetailsCertificate, false, false},
		"what is no policy allows nothing": {servicer.DetailsPolicy(9), false, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := servicer.Details{Policy: tc.policy}
			if d.Allow(t.Context(), local) != tc.local || d.Allow(t.Context(), remote) != tc.remote {
				t.Errorf("allowed local %v, remote %v", d.Allow(t.Context(), local), d.Allow(t.Context(), remote))
			}
		})
	}
}

func TestDetailsLocal(t *testing.T) {
	t.Parallel()
	details := servicer.Details{Policy: servicer.DetailsLocal}
	for name, tc := range map[string]struct {
		caller servicer.Caller
		want   bool
	}{
		"loopback":                    {servicer.Caller{Network: "tcp", Address: "127.0.0.1:1"}, true},
		"all of 127/8":                {servicer.Caller{Network: "tcp", Address: "127.9.9.9:1"}, true},
		"loopback, IPv6":              {servicer.Caller{Network: "tcp", Address: "[::1]:1"}, true},
		"loopback, IPv4 in IPv6":      {servicer.Caller{Network: "tcp", Address: "[::ffff:127.0.0.1]:1"}, true},
		"a Unix socket":               {servicer.Caller{Network: "unix", Address: "@"}, true},
		"the same host's address":     {servicer.Caller{Network: "tcp", Address: "192.168.1.1:1"}, false},
		"link-local":                  {servicer.Caller{Network: "tcp", Address: "[fe80::1%eth0]:1"}, false},
		"every address":               {servicer.Caller{Network: "tcp", Address: "0.0.0.0:1"}, false},
		"a name":                      {servicer.Caller{Network: "tcp", Address: "localhost:1"}, false},
		"no port":                     {servicer.Caller{Network: "tcp", Address: "127.0.0.1"}, false},
		"nothing":                     {servicer.Caller{}, false},
		"another network":             {servicer.Caller{Network: "bufconn", Address: "bufconn"}, false},
		"innocent metadata":           {servicer.Caller{Network: "unix", Header: metadata.Pairs("user-agent", "x", ":authority", "y")}, true},
		"forwarded, gRPC":             {servicer.Caller{Network: "unix", Header: metadata.Pairs("x-forwarded-for", "1.2.3.4")}, false},
		"forwarded, HTTP":             {servicer.Caller{Network: "tcp", Address: "127.0.0.1:1", Header: http.Header{"X-Forwarded-For": {"1.2.3.4"}}}, false},
		"forwarded without a value":   {servicer.Caller{Network: "unix", Header: http.Header{"X-Forwarded-Proto": nil}}, false},
		"RFC 7239":                    {servicer.Caller{Network: "unix", Header: http.Header{"Forwarded": {"for=1.2.3.4"}}}, false},
		"via":                         {servicer.Caller{Network: "unix", Header: http.Header{"Via": {"1.1 proxy"}}}, false},
		"nginx":                       {servicer.Caller{Network: "unix", Header: http.Header{"X-Real-Ip": {"1.2.3.4"}}}, false},
		"Envoy":                       {servicer.Caller{Network: "unix", Header: metadata.Pairs("x-envoy-expected-rq-timeout-ms", "1")}, false},
		"Linkerd":                     {servicer.Caller{Network: "unix", Header: metadata.Pairs("l5d-client-id", "x")}, false},
		"in whatever case it is sent": {servicer.Caller{Network: "unix", Header: map[string][]string{"x-FORWARDED-for": {"x"}}}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := details.Allow(t.Context(), tc.caller); got != tc.want {
				t.Errorf("Allow(%+v) = %v", tc.caller, got)
			}
		})
	}
}

func TestAuthorizeReplacesPolicy(t *testing.T) {
	t.Parallel()
	remote := servicer.Caller{Network: "tcp", Address: "10.1.2.3:4711", Header: metadata.Pairs("token", "sesame")}
	details := servicer.Details{
		Policy: servicer.DetailsAlways,
		Authorize: func(_ context.Context, c servicer.Caller) bool {
			return len(c.Header["token"]) == 1 && c.Header["token"][0] == "sesame"
		},
	}
	if !details.Allow(t.Context(), remote) {
		t.Error("the authorizer's yes is a no")
	}
	if details.Allow(t.Context(), servicer.Caller{Network: "unix"}) {
		t.Error("the policy overrules the authorizer")
	}
	details.Authorize = func(context.Context, servicer.Caller) bool { panic("no idea") }
	if details.Allow(t.Context(), remote) {
		t.Error("an authorizer that panics says yes")
	}
}

func TestDetailsPolicyText(t *testing.T) {
	t.Parallel()
	for _, policy := range []servicer.DetailsPolicy{servicer.DetailsNever, servicer.DetailsLocal, servicer.DetailsAlways, servicer.DetailsCertificate} {
		text, err := policy.MarshalText()
		var back servicer.DetailsPolicy
		if err != nil || back.UnmarshalText(text) != nil || back != policy {
			t.Errorf("%v: %q, %v, %v", policy, text, err, back)
		}
	}
	policy := servicer.DetailsNever
	for _, text := range []string{"", "Always", "sometimes", "2"} {
		if err := policy.UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q is read as %v", text, policy)
		}
	}
}
