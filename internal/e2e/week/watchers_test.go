package week

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"google.golang.org/grpc/codes"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"

	"github.com/vitals-go/vitals/checker"
	"github.com/vitals-go/vitals/servicer"
)

// watcher follows one name.
type watcher struct {
	name  string
	leave context.CancelFunc
	ended chan error

	mu       sync.Mutex
	last     healthpb.HealthCheckResponse_ServingStatus
	messages int
	repeated bool
}

var watchable = []string{"", "readiness", "liveness", "startup", orders, "database", "cache", "payments", "nobody", "search", "none", "shop.v1.Extra"}

// come opens a watch.
func (d *director) come() {
	ctx, leave := context.WithCancel(context.Background())
	w := &watcher{name: watchable[d.random.IntN(len(watchable))], leave: leave, ended: make(chan error, 1), last: -1}
	stream, err := healthpb.NewHealthClient(d.shop.client).Watch(ctx, &healthpb.HealthCheckRequest{Service: w.name})
	if err != nil {
		d.t.Fatal(err)
	}
	go func() {
		for {
			response, err := stream.Recv()
			if err != nil {
				w.ended <- err
				return
			}
			w.hear(response.Status)
		}
	}()
	d.watchers = append(d.watchers, w)
}

func (w *watcher) hear(state healthpb.HealthCheckResponse_ServingStatus) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.repeated = w.repeated || state == w.last
	w.last = state
	w.messages++
}

// dismiss has one of the watchers leave.
func (d *director) dismiss() {
	i := d.random.IntN(len(d.watchers))
	w := d.watchers[i]
	d.watchers = slices.Delete(d.watchers, i, i+1)
	w.leave()
	if err := <-w.ended; codesOf(err) != codes.Canceled {
		d.t.Errorf("at %v: the watch of %q ended with %v", d.now(), w.name, err)
	}
	d.told += w.messages
}

func codesOf(err error) codes.Code { return status.Code(err) }

// mustKnow compares what the watcher was told last with what Check says.
func (w *watcher) mustKnow(t *testing.T, s *shop, now time.Duration) {
	t.Helper()
	answer, err := s.servicer.Check(context.Background(), &healthpb.HealthCheckRequest{Service: w.name})
	want := answer.GetStatus()
	if status.Code(err) == codes.NotFound {
		want = healthpb.HealthCheckResponse_SERVICE_UNKNOWN
	}
	if s.servicer.Phase() >= servicer.Draining && want == healthpb.HealthCheckResponse_SERVICE_UNKNOWN {
		want = healthpb.HealthCheckResponse_NOT_SERVING
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.last != want || w.repeated {
		t.Errorf("at %v: the watcher of %q knows %v, Check says %v; repeated: %v", now, w.name, w.last, want, w.repeated)
	}
}

// diaries are those of all checks.
func (w *scenario) diaries() map[string]*diary {
	all := maps.Clone(w.asked)
	delete(all, "cpu_usage")
	return all
}

// scrape compares the page for Prometheus with the report and with the shop's books.
func (d *director) scrape() {
	d.scrapes++
	synctest.Wait() // for what is published at this moment
	page := httptest.NewRecorder()
	d.shop.handler.ServeHTTP(page, httptest.NewRequest("GET", "/metrics", nil))
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(page.Body)
	if err != nil || page.Code != http.StatusOK {
		d.t.Fatalf("at %v: /metrics: %d, %v", d.now(), page.Code, err)
	}
	var handled float64
	for _, n := range d.shop.books() {
		handled += float64(n)
	}
	if got := sum(families["grpc_server_handled_total"]); got != handled {
		d.t.Errorf("at %v: the page counts %v calls, the shop %v", d.now(), got, handled)
	}
	runs := 0.0
	for _, c := range d.shop.servicer.Report().Checks {
		for status := checker.Unknown; status <= checker.Critical; status++ {
			runs += float64(c.Runs.ByStatus(status))
		}
	}
	if got := sum(families["health_checks_total"]); got != runs {
		d.t.Errorf("at %v: the page counts %v runs, the report %v", d.now(), got, runs)
	}
	silent := 1 // whose reader does not read
	if d.now()-d.shop.born < 30*time.Second {
		silent = 3 // and two without a request, or its end
	}
	if got := sum(families["health_watch_streams"]); d.shop.ticks && got != float64(len(d.watchers)+silent) {
		d.t.Errorf("at %v: the page counts %v watchers, want %d and %d silent ones", d.now(), got, len(d.watchers), silent)
	}
}

func sum(family *dto.MetricFamily) (total float64) {
	for _, m := range family.GetMetric() {
		total += m.GetCounter().GetValue() + m.GetGauge().GetValue()
	}
	return total
}

// chronicle reads the journal of a life: one chain for each subject, and an entry for each incident that the journal
// still reaches back to.
func (d *director) chronicle() {
	journal := d.shop.servicer.Report().Transitions
	if len(journal) == 0 {
		d.t.Errorf("at %v: the journal is empty", d.now())
		return
	}
	after := map[string]servicer.Transition{}
	for i, found := range journal { // newest first
		if i > 0 && (found.At.After(journal[i-1].At) || found.Seq != journal[i-1].Seq-1) {
			d.t.Errorf("at %v: %+v stands behind %+v", d.now(), found, journal[i-1])
		}
		if next, known := after[found.Subject]; known && found.To != next.From && !strings.HasPrefix(found.Subject, "name/") {
			d.t.Errorf("at %v: %+v is followed by %+v", d.now(), found, next)
		}
		if next, known := after[found.Subject]; known && next.At.Equal(found.At) && strings.HasPrefix(found.Subject, "breaker/") {
			d.t.Errorf("at %v: %+v and %+v at once", d.now(), found, next)
		}
		after[found.Subject] = found
	}
	oldest := journal[len(journal)-1].At.Sub(d.began)
	for who, incidents := range d.incidents {
		for _, i := range incidents {
			if i.from < max(oldest, d.shop.born+settled) || i.to > d.now()-settled || i.what == slow || i.what == flapping || who == "cpu_usage" {
				continue
			}
			if err := told(journal, "check/"+who, d.began.Add(i.from), d.began.Add(i.to)); err != nil {
				d.t.Errorf("at %v: %+v: %v", d.now(), i, err)
			}
		}
	}
}

// told looks for the transition that an incident has caused.
func told(journal []servicer.Transition, subject string, from, to time.Time) error {
	for _, found := range journal {
		if found.Subject == subject && found.From == "healthy" && !found.At.Before(from) && found.At.Before(to) {
			return nil
		}
	}
	return errors.New("is not in the journal")
}
