package probes

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	healthpb "google.golang.org/grpc/health/grpc_health_v1"

	"github.com/vitals-go/vitals/breaker"
	"github.com/vitals-go/vitals/checker"
	"github.com/vitals-go/vitals/internal/errtext"
	"github.com/vitals-go/vitals/servicer"
)

func names(report *servicer.Report) []nameView {
	var list []nameView
	for _, n := range report.Names {
		v := nameView{Name: n.Name, Status: n.Status.String(), Serving: n.Status == healthpb.HealthCheckResponse_SERVING}
		for _, cause := range n.Causes {
			v.Because = append(v.Because, subject(cause))
		}
		list = append(list, v)
	}
	return list
}

// resources shows each measured resource against its limit, which lies at nine tenths of the meter unless the unit is
// percent: then the meter is as long as the whole.
func resources(report *servicer.Report) []resourceView {
	var list []resourceView
	for _, check := range report.Checks {
		m, limit := check.Measurement, check.Critical.Value()
		if check.Kind != checker.Resource || check.At.IsZero() || m == (checker.Measurement{}) {
			continue
		}
		length := 100.0
		if strings.TrimSpace(m.Unit) != "%" {
			length = max(limit/0.9, m.Value, 1)
		}
		r := resourceView{
			Name: cmp.Or(check.Title, check.Name), Value: check.Value + m.Unit, Source: m.Source, Status: check.Status,
			Fill: permille(m.Value / length), Mark: permille(limit / length),
		}
		if !check.Critical.IsZero() {
			r.Limit = number(limit) + m.Unit
		}
		list = append(list, r)
	}
	return list
}

func permille(f float64) int { return int(1000 * min(max(f, 0), 1)) }

func breakers(report *servicer.Report, a viewer) []breakerView {
	var list []breakerView
	for i := range report.Breakers {
		b := &report.Breakers[i]
		v := breakerView{Name: b.Name, State: b.State.String(), Since: b.Since, NextTry: b.RetryAt, Class: "healthy"}
		switch b.State {
		case breaker.Open:
			v.Class = "critical"
		case breaker.HalfOpen:
			v.Class = "warning"
		}
		calls := b.Window.Successes + b.Window.Failures
		v.Calls = plural(int(min(calls, 1<<53)), "call", "calls") + fmt.Sprintf(", %d failed", b.Window.Failures)
		if b.Calls.Rejected > 0 {
			v.Rejected = fmt.Sprintf("%d rejected so far", b.Calls.Rejected)
		}
		if b.Forced {
			v.Held = "held by an operator"
			if a == trusted && b.ForcedReason != "" {
				v.Held += ": " + b.ForcedReason
			}
		}
		if b.ObserveOnly {
			v.Observes = "observes only"
		}
		if a == trusted && b.State != breaker.Closed {
			v.Detail = errtext.Of(b.LastFailure)
		}
		list = append(list, v)
	}
	closed := func(b breakerView) bool { return b.Class == "healthy" }
	opened := slices.DeleteFunc(slices.Clone(list), closed)
	return append(opened, slices.DeleteFunc(list, func(b breakerView) bool { return !closed(b) })...)
}
