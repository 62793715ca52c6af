package servicertest

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"google.golang.org/grpc/codes"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"

	"github.com/vitals-go/vitals/checker"
)

type servingStatus = healthpb.HealthCheckResponse_ServingStatus

const (
	serving        = healthpb.HealthCheckResponse_SERVING
	notServing     = healthpb.HealthCheckResponse_NOT_SERVING
	serviceUnknown = healthpb.HealthCheckResponse_SERVICE_UNKNOWN
)

const (
	unknownName = "servicertest.v1.Unknown" // a name that no server knows
	maxListed   = 100                       // limit of gRFC A90
)

func (t *tester) check(ctx context.Context, name string) (servingStatus, error) {
	ctx, cancel := context.WithTimeout(ctx, t.target.Timeout)
	defer cancel()
	response, err := t.health.Check(ctx, &healthpb.HealthCheckRequest{Service: name})
	return response.GetStatus(), err
}

// checkNames tests Check.
func (t *tester) checkNames(ctx context.Context) {
	for _, name := range t.target.Names {
		state, err := t.check(ctx, name)
		if name != "" { // tested by check.overall
			t.want("check.known", err == nil, "OK for "+quote(name), "%v", err)
		}
		if err == nil {
			t.want("check.status", state == serving || state == notServing, "SERVING or NOT_SERVING for "+quote(name), "%v", state)
		}
	}
	state, err := t.check(ctx, unknownName)
	t.want("check.unknown", status.Code(err) == codes.NotFound, "NOT_FOUND for "+quote(unknownName), "%v", either(state, err))
}

// list tests List.
func (t *tester) list(ctx context.Context) {
	statuses, err := t.listed(ctx)
	if status.Code(err) == codes.ResourceExhausted {
		t.want("list.names", true, "", "")
		t.want("list.bounded", true, "", "")
		return
	}
	t.want("list.names", err == nil, "a response", "%v", err)
	if err != nil {
		return
	}
	for _, name := range t.target.Names {
		if name == checker.Liveness || name == checker.Readiness || name == checker.Startup {
			continue // names of probes need not be listed
		}
		t.want("list.names", statuses[name] != nil, quote(name)+" in the list", "a list without it")
	}
	t.want("list.names", statuses[unknownName] == nil, "no "+quote(unknownName), "a list with it")
	t.want("list.bounded", len(statuses) <= maxListed, "at most 100 names", "%d", len(statuses))
	err = t.eventually(ctx, func() error { return t.compareList(ctx) })
	t.want("list.agrees", err == nil, "the same from Check", "%v", err)
}

func (t *tester) listed(ctx context.Context) (map[string]*healthpb.HealthCheckResponse, error) {
	ctx, cancel := context.WithTimeout(ctx, t.target.Timeout)
	defer cancel()
	response, err := t.health.List(ctx, &healthpb.HealthListRequest{})
	return response.GetStatuses(), err
}

func (t *tester) compareList(ctx context.Context) error {
	statuses, err := t.listed(ctx)
	if err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(statuses)) {
		listed := statuses[name].GetStatus()
		if state, err := t.check(ctx, name); err != nil || state != listed {
			return fmt.Errorf("%q: %v from List, %v from Check", name, listed, either(state, err))
		}
	}
	return nil
}

func quote(name string) string { return fmt.Sprintf("%q", name) }

// either returns the error of a call, else its status.
func either(state servingStatus, err error) any {
	if err != nil {
		return err
	}
	return state
}

// failing makes one check fail and recover, and tests all endpoints both times.
func (t *tester) failing(ctx context.Context, check string) {
	err := t.becomes(ctx, serving, t.readiness)
	t.want("fail.readiness", err == nil, "a server that is ready before a check fails", "%v", err)
	if err != nil {
		return
	}
	var affected []string // names that the check should take out
	for _, name := range []string{"", t.readiness, check} {
		if _, err := t.check(ctx, name); err == nil && !slices.Contains(affected, name) {
			affected = append(affected, name)
		}
	}
	recoverCheck := t.target.Fail[check]()
	t.turns(ctx, "fail.readiness", notServing, affected)
	if t.knows(checker.Liveness) {
		state, err := t.check(ctx, checker.Liveness)
		t.want("fail.liveness", err == nil && state == serving, "SERVING while "+check+" fails", "%v", either(state, err))
	}
	recoverCheck()
	t.turns(ctx, "fail.recover", serving, affected)
}

// turns tests that the status of names becomes state at all endpoints.
func (t *tester) turns(ctx context.Context, rule string, state servingStatus, names []string) {
	err := t.becomes(ctx, state, names...)
	t.want(rule, err == nil, fmt.Sprintf("%v for %q", state, names), "%v", err)
	if err != nil {
		return
	}
	for _, w := range t.watches {
		if slices.Contains(names, w.name) {
			r, found := t.until(ctx, w, newestIs(state))
			t.want("watch.follows", found, fmt.Sprintf("%v for %q", state, w.name), "%v", r)
		}
	}
	t.endpoints(ctx)
}

// becomes waits until Check returns state for all names.
func (t *tester) becomes(ctx context.Context, state servingStatus, names ...string) error {
	return t.eventually(ctx, func() error {
		for _, name := range names {
			if got, err := t.check(ctx, name); err != nil || got != state {
				return fmt.Errorf("%v for %q", either(got, err), name)
			}
		}
		return nil
	})
}
