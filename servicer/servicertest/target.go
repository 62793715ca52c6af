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

// Target is the server under test. Only Conn is required.
type Target struct {
	// Conn is a connection to the server, such as a *grpc.ClientConn without load balancing. Required.
	Conn grpc.ClientConnInterface
	// Names are names that the server must know, such as the full names of its services. Liveness, readiness and startup
	// are added if the server knows them.
	Names []string

	// HTTP is the base URL of the HTTP endpoints, such as http://127.0.0.1:8080.
	HTTP string
	// File is the path of the health file.
	File string
	// Probe returns an exit code like that of grpc_health_probe: 0 serving, 4 not serving. See Command.
	Probe func(context.Context) (exitCode int)

	// Fail maps the name of a check that gates readiness to a function that makes it fail and returns a function that
	// makes it succeed again; both may return before the server has noticed.
	Fail map[string]func() (recover func())

	// Drain shuts the server down as SIGTERM does, and returns when it has stopped. It is called once, last.
	Drain func()
	// DrainDelay is how long the server serves calls after the drain has begun. Default 0: not tested.
	DrainDelay time.Duration
	// Call makes a call that succeeds while the server serves.
	Call func(context.Context) error

	// Timeout bounds each expected change. Default 15 s.
	Timeout time.Duration
	// ObserveFor is how long watches are observed while nothing changes. Default 1 s; negative: not at all.
	ObserveFor time.Duration

	// Skip lists the IDs of rules not to test.
	Skip []string

	client *http.Client // of HTTP; tests replace it
}

func (t Target) withDefaults() Target {
	t.Timeout = cmp.Or(t.Timeout, 15*time.Second)
	t.ObserveFor = max(cmp.Or(t.ObserveFor, time.Second), 0)
	t.HTTP = strings.TrimSuffix(t.HTTP, "/")
	t.Names = slices.Compact(slices.Sorted(slices.Values(append([]string{""}, t.Names...))))
	t.client = cmp.Or(t.client, &http.Client{
		Transport:     &http.Transport{DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	})
	return t
}

func (t Target) validate() error {
	var errs []error
	reject := func(wrong bool, format string, args ...any) {
		if wrong {
			errs = append(errs, fmt.Errorf("servicertest: "+format, args...))
		}
	}
	reject(t.Conn == nil, "Conn is required")
	reject(slices.Contains(t.Names, unknownName), "Names: %q must be unknown to the server", unknownName)
	reject(t.DrainDelay < 0, "DrainDelay: got %v, want at least 0", t.DrainDelay)
	reject(t.DrainDelay > 0 && t.Drain == nil, "DrainDelay: requires Drain")
	reject(t.Timeout < 0, "Timeout: got %v, want at least 0", t.Timeout)
	if t.HTTP != "" {
		base, err := url.Parse(t.HTTP)
		reject(err != nil || base.Scheme != "http" && base.Scheme != "https" || base.Host == "", "HTTP: got %q, want a URL", t.HTTP)
	}
	for _, id := range t.Skip {
		reject(!slices.ContainsFunc(Rules(), func(r Rule) bool { return r.ID == id }), "Skip: unknown rule %q", id)
	}
	return errors.Join(errs...)
}
