package statuspage

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"

	healthpb "google.golang.org/grpc/health/grpc_health_v1"

	"github.com/vitals-go/vitals/breaker"
	"github.com/vitals-go/vitals/checker"
	"github.com/vitals-go/vitals/internal/errtext"
	"github.com/vitals-go/vitals/internal/unit"
	"github.com/vitals-go/vitals/probes/internal/response"
	"github.com/vitals-go/vitals/servicer"
)

func names(report *servicer.Report) []nameView {
	var list []nameView
	for _, n := range report.Names {
		list = append(list, nameView{
			Name: n.Name, Status: n.Status.String(), Serving: n.Status == healthpb.HealthCheckResponse_SERVING,
			Causes: response.Subjects(n.Causes),
		})
	}
	return list
}

// resources shows each measured resource against its limit. The meter's length is 100 for percentages; for others the limit
// lies at nine tenths of it.
func resources(report *servicer.Report) []resourceView {
	var list []resourceView
	for _, check := range report.Checks {
		m, limit, length := check.Measurement, check.Critical.Value(), 100.0
		if check.Kind != checker.Resource || check.At.IsZero() || m == (checker.Measurement{}) {
			continue
		}
		if m.Unit != "%" {
			length = max(limit/0.9, m.Value, 1)
		}
		r := resourceView{
			Name: cmp.Or(check.Title, check.Name), Value: unit.Format(check.Value, m.Unit), Source: m.Source, Status: check.Status,
			Fill: permille(m.Value / length), Mark: permille(limit / length),
		}
		if metric, found := report.Metric(check.Name); found && metric.Unit == "" {
			r.Value = check.Value // no number, such as timeout
		}
		if !check.Critical.IsZero() {
			r.Limit = unit.Format(strconv.FormatFloat(limit, 'f', -1, 64), m.Unit)
		}
		list = append(list, r)
	}
	return list
}

func permille(f float64) int { return int(1000 * min(max(f, 0), 1)) }

func breakers(report *servicer.Report, viewer response.Viewer) []breakerView {
	var list []breakerView
	for i := range report.Breakers {
		b := &report.Breakers[i]
		v := breakerView{Name: b.Name, State: b.State.String(), Since: b.Since, RetryAt: b.RetryAt, Class: "healthy"}
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
			if viewer == response.Trusted && b.ForcedReason != "" {
				v.Held += ": " + b.ForcedReason
			}
		}
		if b.ObserveOnly {
			v.Observes = "observes only"
		}
		if viewer == response.Trusted && b.State != breaker.Closed {
			v.Detail = errtext.Of(b.LastFailure)
		}
		list = append(list, v)
	}
	closed := func(b breakerView) bool { return b.Class == "healthy" }
	opened := slices.DeleteFunc(slices.Clone(list), closed)
	return append(opened, slices.DeleteFunc(list, func(b breakerView) bool { return !closed(b) })...)
}
