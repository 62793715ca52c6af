package week

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	healthpb "google.golang.org/grpc/health/grpc_health_v1"

	"github.com/vitals-go/vitals/breaker"
	"github.com/vitals-go/vitals/internal/e2e/oracle"
	"github.com/vitals-go/vitals/servicer/vitalspb"
)

// operator changes manual statuses, maintenance and breakers at random, as an application may at any time.
type operator struct {
	random *rand.Rand
	did    int
}

// manualNames are those that get manual statuses: of probes, services, checks (which some servers hide), and of nothing.
var manualNames = []string{"", "readiness", "liveness", orders, "none", "shop.v1.Extra", "database", "queue", "steady"}

var statuses = []healthpb.HealthCheckResponse_ServingStatus{
	healthpb.HealthCheckResponse_SERVING, healthpb.HealthCheckResponse_NOT_SERVING, healthpb.HealthCheckResponse_UNKNOWN,
}

func pick[T any](r *rand.Rand, from ...T) T { return from[r.IntN(len(from))] }

// operate does one thing in six ticks, and compares every endpoint before any time has passed.
func (d *director) operate() {
	s, r := d.shop, d.operator.random
	if r.IntN(6) > 0 {
		return
	}
	switch r.IntN(9) {
	case 0, 1, 2:
		s.setManual(pick(r, manualNames...), pick(r, statuses...))
	case 3:
		s.servicer.Shutdown()
		s.shutdown = true
	case 4, 5:
		s.servicer.Resume()
		s.resumed()
	case 6:
		d.concurrently()
	case 7:
		s.toggleReserve()
	case 8:
		check := pick(r, s.dependencies...)
		if check.Name == "payments" || check.Name == "steady" {
			return // Their runs are counted.
		}
		if err := s.checker.Replace(check); err != nil {
			d.t.Errorf("at %v: Replace: %v", d.now(), err)
		}
	}
	d.operator.did++
	d.agree()
	d.compareNow()
}

// setManual sets a manual status, which Shutdown ignores.
func (s *shop) setManual(name string, status healthpb.HealthCheckResponse_ServingStatus) {
	s.servicer.SetServingStatus(name, status)
	if !s.shutdown {
		s.manual[cmp.Or(name, "readiness")] = status.String()
	}
}

// setBeforeStart sets manual statuses while no check has a result: no name serves for that.
func (s *shop) setBeforeStart(t *testing.T) {
	t.Helper()
	for _, name := range []string{"database", "none", "shop.v1.Extra"} {
		s.setManual(name, healthpb.HealthCheckResponse_SERVING)
		answer, err := s.servicer.Check(context.Background(), &healthpb.HealthCheckRequest{Service: name})
		reported, known := s.servicer.Report().Lookup(name)
		if err != nil || answer.Status != healthpb.HealthCheckResponse_NOT_SERVING || !known || reported.Status != answer.Status {
			t.Errorf("at %v: before the start %q is %v, %v by Check and %+v by the report", s.now(), name, answer.GetStatus(), err, reported)
		}
	}
}

// resumed is the effect of Resume: every manual status becomes SERVING.
func (s *shop) resumed() {
	s.shutdown = false
	for name := range s.manual {
		s.manual[name] = "SERVING"
	}
}

// concurrently calls everything at once, after which all endpoints must agree on either result, and then resumes.
func (d *director) concurrently() {
	s := d.shop
	added := []string{fmt.Sprintf("shop.v1.Late%d", len(s.services)), fmt.Sprintf("shop.v1.Late%d", len(s.services)+1)}
	if len(s.services) > 6 {
		added = s.services[:2]
	}
	calls := []func(){
		s.servicer.Shutdown, s.servicer.Resume, s.servicer.Shutdown, s.servicer.Resume,
		func() { s.servicer.SetServingStatus(orders, healthpb.HealthCheckResponse_NOT_SERVING) },
		func() { s.servicer.SetServingStatus("none", healthpb.HealthCheckResponse_SERVING) },
	}
	var errs [2]error
	for i, name := range added {
		calls = append(calls, func() { errs[i] = s.servicer.AddServices(name) })
	}
	var all sync.WaitGroup
	for _, call := range calls {
		all.Go(call)
	}
	all.Wait()
	for _, err := range errs {
		if err != nil {
			d.t.Errorf("at %v: AddServices: %v", d.now(), err)
		}
	}
	d.agree()
	s.servicer.Resume()
	s.servicer.SetServingStatus(orders, healthpb.HealthCheckResponse_SERVING)
	s.servicer.SetServingStatus("none", healthpb.HealthCheckResponse_SERVING)
	s.manual[orders], s.manual["none"] = "SERVING", "SERVING"
	s.resumed()
	s.services = slices.Compact(slices.Sorted(slices.Values(append(s.services, added...))))
}

// toggleReserve opens or closes a breaker of the second source by hand.
func (s *shop) toggleReserve() {
	s.second.appear()
	if s.reserveOpen = !s.reserveOpen; s.reserveOpen {
		s.second.reserve.ForceOpen("planned")
	} else {
		s.second.reserve.ForceClosed("planned")
	}
	synctest.Wait() // A breaker is read by the evaluation.
}

// renew replaces the reason and the end of a maintenance window in force, or ends it.
func (d *director) renew(clock time.Duration) {
	for i := range d.windows {
		m := &d.windows[i]
		if clock <= m.from || clock >= m.to || d.operator.random.IntN(3) > 0 {
			continue
		}
		if !d.shop.knows(m.name) {
			continue
		}
		if m.renewed++; m.renewed > 3 {
			if !d.shop.servicer.EndMaintenance(m.name) {
				d.t.Errorf("at %v: there is no maintenance of %q to end", d.now(), m.name)
			}
			m.to = clock
		} else {
			m.to = clock + time.Duration(2+d.operator.random.IntN(20))*time.Minute
			d.maintain(*m, fmt.Sprint("renewed ", m.renewed))
		}
		d.compareNow()
	}
}

// maintain begins or renews the maintenance of a name, which fails for a name that is not known.
func (d *director) maintain(m maintenance, reason string) {
	err := d.shop.servicer.SetMaintenance(m.name, reason, m.to-d.now())
	if known := d.shop.knows(m.name); (err == nil) != known {
		d.t.Errorf("at %v: maintenance of %q: %v; the name is known: %v", d.now(), m.name, err, known)
	}
}

// knows reports whether grpc.health.v1 knows the name of a probe, a service or a check.
func (s *shop) knows(name string) bool {
	_, set := s.manual[name]
	isCheck := slices.ContainsFunc(needs, func(n need) bool { return n.name == name })
	return !isCheck || !s.hidden || set
}

// compareNow compares every endpoint with what is expected now, before time passes.
func (d *director) compareNow() {
	c := oracle.Compare(d.shop.expected(d.now()))
	got := map[string]string{}
	for name := range c.Names {
		answer, err := d.shop.servicer.Check(context.Background(), &healthpb.HealthCheckRequest{Service: name})
		if err != nil {
			c.Failed("Check of "+name, err)
		}
		got[name] = answer.GetStatus().String()
	}
	c.Statuses("Check", got)
	d.facts += compare(d.t, c, d.shop.servicer.Report(), d.now())
	d.probe(c.Expected)
}

// agree compares the endpoints with each other, also where the script decides nothing.
func (d *director) agree() {
	s, ctx := d.shop, context.Background()
	r := s.servicer.Report()
	list, err := s.servicer.List(ctx, &healthpb.HealthListRequest{})
	report, reportErr := s.servicer.ReportServer().GetHealthReport(ctx, &vitalspb.HealthReportRequest{})
	if err != nil || reportErr != nil || len(list.Statuses) != len(r.Names) || len(report.Names) != len(r.Names) {
		d.t.Fatalf("at %v: List has %d names (%v), GetHealthReport %d (%v), the report %d",
			d.now(), len(list.GetStatuses()), err, len(report.GetNames()), reportErr, len(r.Names))
	}
	for i, n := range r.Names {
		answer, err := s.servicer.Check(ctx, &healthpb.HealthCheckRequest{Service: n.Name})
		if answer.GetStatus() != n.Status || err != nil || list.Statuses[n.Name].GetStatus() != n.Status || report.Names[i].Status != n.Status.String() {
			d.t.Errorf("at %v: %q is %v by the report, %v (%v) by Check, %v by List, %v by GetHealthReport",
				d.now(), n.Name, n.Status, answer.GetStatus(), err, list.Statuses[n.Name].GetStatus(), report.Names[i].Status)
		}
		if path := map[string]string{"liveness": "/live", "readiness": "/ready"}[n.Name]; path != "" {
			if code := d.get(path); (code == http.StatusOK) != (n.Status == healthpb.HealthCheckResponse_SERVING) {
				d.t.Errorf("at %v: %q is %v, GET %s = %d", d.now(), n.Name, n.Status, path, code)
			}
		}
	}
	// Of two breakers with one name the worse is reported, and one is always closed.
	if m, known := r.Metric("breaker_payments"); !known || (m.Value == "closed") != (s.payments.State() == breaker.Closed) {
		d.t.Errorf("at %v: the breaker payments is %v, and reported as %+v", d.now(), s.payments.State(), m)
	}
	d.asked += 3 * len(r.Names)
}

func (d *director) get(path string) int {
	w := httptest.NewRecorder()
	d.shop.handler.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
	return w.Code
}

// twoBreakers is a source of breakers beside that of payments: one breaker of its own, and later one that is called
// payments, too, and is always closed.
type twoBreakers struct {
	reserve, payments *breaker.Breaker

	mu   sync.Mutex
	both bool
}

func newTwoBreakers(t *testing.T) *twoBreakers {
	t.Helper()
	two := &twoBreakers{}
	for name, b := range map[string]**breaker.Breaker{"reserve": &two.reserve, "payments": &two.payments} {
		var err error
		if *b, err = breaker.New(breaker.Config{Name: name}); err != nil {
			t.Fatal(err)
		}
	}
	return two
}

func (two *twoBreakers) appear() {
	two.mu.Lock()
	defer two.mu.Unlock()
	two.both = true
}

// Snapshots implements breaker.SnapshotSource.
func (two *twoBreakers) Snapshots() []breaker.Snapshot {
	two.mu.Lock()
	defer two.mu.Unlock()
	if two.both {
		return []breaker.Snapshot{two.payments.Snapshot(), two.reserve.Snapshot()}
	}
	return []breaker.Snapshot{two.reserve.Snapshot()}
}

// Changed implements breaker.SnapshotSource.
func (two *twoBreakers) Changed() <-chan struct{} { return two.reserve.Changed() }
