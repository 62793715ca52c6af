package servicertest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"google.golang.org/grpc"
)

// Target is the server to judge, and what the judge may do to it. Only Conn is required; what is left out leaves the
// rules that need it untested.
type Target struct {
	// Conn reaches the server, as *grpc.ClientConn does. Required. It must not balance over several servers.
	Conn grpc.ClientConnInterface
	// Names that the server must know, beside "", such as the full names of its services. If the server knows liveness,
	// readiness or startup, these are judged as well.
	Names []string
	// Unknown is a name that the server does not know. Default servicertest.v1.Nobody.
	Unknown string

	// HTTP is the base URL of the HTTP door, such as http://127.0.0.1:8080.
	HTTP string
	// HTTPClient asks it. Default: one without proxy and without redirects.
	HTTPClient *http.Client
	// File is the path of the health file.
	File string
	// Probe asks whether traffic may come, in the way of grpc_health_probe: 0 yes, 4 no. See Command.
	Probe func(context.Context) (exitCode int)

	// Checks are names of checks that gate readiness. Each in turn is made to fail by Fail and cured by Heal, both of
	// which may return before the server has noticed. All three or none.
	Checks  []string
	Fail    func(check string)
	Recover func(check string)

	// Drain ends the server as SIGTERM does, and returns when it has ended. It is called last, and once.
	Drain func()
	// DrainDelay is how long the server goes on serving after it has said that it will not. If it is 0, what happens
	// meanwhile is not tested.
	DrainDelay time.Duration
	// Call is a call of the application that succeeds as long as the server serves.
	Call func(context.Context) error

	// Timeout is how long anything that should happen may take. Default 15 s.
	Timeout time.Duration
	// ObserveFor is how long watches are observed while nothing happens, to hear what they should not say. Default 1 s;
	// negative: not at all.
	ObserveFor time.Duration

	// Skip lists identifiers of rules that are not to be judged.
	Skip []string
}

func (t Target) withDefaults() Target {
	t.Unknown = cmp.Or(t.Unknown, "servicertest.v1.Nobody")
	t.Timeout = cmp.Or(t.Timeout, 15*time.Second)
	t.ObserveFor = max(cmp.Or(t.ObserveFor, time.Second), 0)
	t.HTTP = strings.TrimSuffix(t.HTTP, "/")
	t.Names = slices.Compact(slices.Sorted(slices.Values(append([]string{""}, t.Names...))))
	if t.HTTPClient == nil {
		t.HTTPClient = &http.Client{
			Transport:     &http.Transport{DisableKeepAlives: true},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		}
	}
	return t
}

func (t Target) validate() error {
	var errs []error
	refuse := func(wrong bool, format string, args ...any) {
		if wrong {
			errs = append(errs, fmt.Errorf("servicertest: Target."+format, args...))
		}
	}
	refuse(t.Conn == nil, "Conn is required")
	refuse(slices.Contains(t.Names, t.Unknown) && t.Unknown != "", "Unknown %q is one of Names", t.Unknown)
	hooks := (t.Fail != nil) == (t.Recover != nil) && (t.Fail != nil) == (len(t.Checks) > 0)
	refuse(!hooks, "Checks, Fail and Heal need each other")
	refuse(t.DrainDelay < 0, "DrainDelay is negative: %v", t.DrainDelay)
	refuse(t.DrainDelay > 0 && t.Drain == nil, "DrainDelay needs Drain")
	refuse(t.Timeout < 0, "Patience is negative: %v", t.Timeout)
	if t.HTTP != "" {
		base, err := url.Parse(t.HTTP)
		refuse(err != nil || base.Scheme != "http" && base.Scheme != "https" || base.Host == "", "HTTP %q is no URL", t.HTTP)
	}
	for _, id := range t.Skip {
		refuse(indexOf(Rules(), id) < 0, "Skip holds %q, which is no rule", id)
	}
	return errors.Join(errs...)
}
