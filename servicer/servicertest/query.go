package servicertest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"google.golang.org/grpc/codes"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"

	"github.com/vitals-go/vitals/checker"
)

type servingStatus = healthpb.HealthCheckResponse_ServingStatus

const (
	serving    = healthpb.HealthCheckResponse_SERVING
	notServing = healthpb.HealthCheckResponse_NOT_SERVING
	nobody     = healthpb.HealthCheckResponse_SERVICE_UNKNOWN
)

// maxListed is the number that gRFC A90 gives.
const maxListed = 100

// check asks once about name.
func (j *tester) check(ctx context.Context, name string) (servingStatus, error) {
	ctx, cancel := context.WithTimeout(ctx, j.target.Timeout)
	defer cancel()
	response, err := j.health.Check(ctx, &healthpb.HealthCheckRequest{Service: name})
	return response.GetStatus(), err
}

// answered reports whether err is the word of a server with a health service.
func answered(err error) bool {
	switch status.Code(err) {
	case codes.Unimplemented, codes.Unavailable, codes.DeadlineExceeded, codes.Canceled:
		return false
	default:
		return true
	}
}

// query tests what single calls show.
func (j *tester) query(ctx context.Context) {
	for _, name := range j.target.Names {
		state, err := j.check(ctx, name)
		if name != "" { // which check.overall is about
			j.want("check.known", err == nil, "OK for "+show(name), "%v", err)
		}
		if err == nil {
			j.want("check.status", state == serving || state == notServing, "SERVING or NOT_SERVING for "+show(name), "%v", state)
		}
	}
	state, err := j.check(ctx, j.target.Unknown)
	j.want("check.unknown", status.Code(err) == codes.NotFound, "NOT_FOUND for "+show(j.target.Unknown), "%v", said(state, err))
	j.list(ctx)
}

// list tests List. A server that changes meanwhile is asked again.
func (j *tester) list(ctx context.Context) {
	statuses, err := j.listed(ctx)
	if status.Code(err) == codes.ResourceExhausted {
		j.want("list.names", true, "", "")
		j.want("list.bounded", true, "", "")
		return
	}
	j.want("list.names", err == nil, "an answer", "%v", err)
	if err != nil {
		return
	}
	for _, name := range j.target.Names {
		if name == checker.Liveness || name == checker.Readiness || name == checker.Startup {
			continue // names of probes need not be listed
		}
		j.want("list.names", statuses[name] != nil, show(name)+" in the list", "a list without it")
	}
	j.want("list.names", statuses[j.target.Unknown] == nil, "no "+show(j.target.Unknown), "a list with it")
	j.want("list.bounded", len(statuses) <= maxListed, "at most 100 names", "%d", len(statuses))
	err = j.eventually(ctx, j.target.Timeout, func() error { return j.compareList(ctx) })
	j.want("list.agrees", err == nil, "the same from Check", "%v", err)
}

func (j *tester) listed(ctx context.Context) (map[string]*healthpb.HealthCheckResponse, error) {
	ctx, cancel := context.WithTimeout(ctx, j.target.Timeout)
	defer cancel()
	response, err := j.health.List(ctx, &healthpb.HealthListRequest{})
	return response.GetStatuses(), err
}

func (j *tester) compareList(ctx context.Context) error {
	statuses, err := j.listed(ctx)
	if err != nil {
		return err
	}
	var errs []error
	for name, listed := range statuses {
		if state, err := j.check(ctx, name); err != nil || state != listed.GetStatus() {
			errs = append(errs, fmt.Errorf("%s listed as %v, and from Check %v", show(name), listed.GetStatus(), said(state, err)))
		}
	}
	return first(errs)
}

// first returns the first few errors, in an order that does not depend on maps.
func first(errs []error) error {
	slices.SortFunc(errs, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
	return errors.Join(errs[:min(len(errs), 3)]...)
}

// show is how findings write a name.
func show(name string) string { return fmt.Sprintf("%q", name) }

// said is what a call came to.
func said(state servingStatus, err error) any {
	if err != nil {
		return err
	}
	return state
}
