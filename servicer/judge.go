package servicer

import (
	"slices"
	"strings"
	"time"

	healthpb "google.golang.org/grpc/health/grpc_health_v1"

	"github.com/vitals-go/vitals/checker"
)

// evidence is everything that a verdict depends on. The judge only reads it.
type evidence struct {
	at time.Time
	// expiry is the time by which results are stale: at, or less after a standstill, until again.
	expiry, again time.Time

	phase   Phase
	started bool // start-up is over
	silence silence
	// shut is set between Shutdown and Resume of the health service.
	shut bool

	testimony

	services    []string // sorted
	words       map[string]healthpb.HealthCheckResponse_ServingStatus
	maintenance []Maintenance // in force, sorted by name
	streams     int
}

// rules are what stays the same from verdict to verdict.
type rules struct {
	born       time.Time
	version    string
	requests   RequestPolicy
	hideChecks bool
}

// judge turns evidence into a report. It is pure: it keeps nothing and knows no clock. What needs memory, the journal
// and since when a status holds, is added by history.
func (r *rules) judge(e *evidence) *Report {
	fresh := *e
	fresh.checks = expire(e.checks, e.expiry)
	report := &Report{
		EvaluatedAt:  e.at,
		Started:      r.born,
		Version:      r.version,
		Phase:        e.phase,
		Startup:      e.started,
		Checks:       fresh.checks,
		Breakers:     e.breakers,
		Requests:     e.requests,
		Maintenance:  e.maintenance,
		WatchStreams: e.streams,
	}
	report.Metrics = r.metrics(&fresh)
	report.Overall = overall(report.Metrics)
	report.Names = r.names(&fresh, report.Metrics)
	return report
}

// overall is the worst status of all metrics; without any nothing speaks against the process.
func overall(metrics []Metric) checker.Status {
	worst := checker.Healthy
	for i := range metrics {
		if metrics[i].Status.Worse(worst) {
			worst = metrics[i].Status
		}
	}
	return worst
}

// expire returns checks with every result that is past its time turned stale. A Checker that runs does that itself;
// this is for one whose Run has ended or hangs.
func expire(checks []*checker.Result, at time.Time) []*checker.Result {
	fresh := checks
	for i, c := range checks {
		if !expired(c, at) {
			continue
		}
		if &fresh[0] == &checks[0] {
			fresh = slices.Clone(checks)
		}
		stale := *c
		stale.Status, stale.Reason, stale.Since = checker.Unknown, checker.ReasonStale, c.Expires
		stale.Message = c.Title + " has no recent result"
		fresh[i] = &stale
	}
	return fresh
}

func expired(c *checker.Result, at time.Time) bool {
	return c.Status != checker.Unknown && !c.Expires.IsZero() && !c.Expires.After(at)
}

// deadline is when evidence will need a new judgement although nobody has said anything: when a result expires
// or an open breaker's time has come. Zero means never.
func (e *evidence) deadline() (next time.Time) {
	consider := func(t time.Time) {
		if t.After(e.at) {
			next = soonest(next, t)
		}
	}
	consider(e.again)
	for _, c := range e.checks {
		if c.Status != checker.Unknown {
			consider(c.Expires)
		}
	}
	for i := range e.breakers {
		consider(e.breakers[i].RetryAt)
	}
	return next
}

// finish sorts metrics by name and keeps the worst of those that share one, such as two breakers of one name.
func finish(metrics []Metric) []Metric {
	slices.SortStableFunc(metrics, func(a, b Metric) int { return strings.Compare(a.Name, b.Name) })
	kept := metrics[:0]
	for i := range metrics {
		if n := len(kept); n > 0 && kept[n-1].Name == metrics[i].Name {
			if metrics[i].Status.Worse(kept[n-1].Status) {
				kept[n-1] = metrics[i]
			}
			continue
		}
		kept = append(kept, metrics[i])
	}
	return kept
}
