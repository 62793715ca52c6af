package probes_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	healthpb "google.golang.org/grpc/health/grpc_health_v1"

	"github.com/vitals-go/vitals/checker"
	"github.com/vitals-go/vitals/probes"
	"github.com/vitals-go/vitals/servicer"
)

// crowd is a report of n checks that all fail and all keep readiness from serving.
func crowd(n int) *servicer.Report {
	r := criticalReport()
	r.Checks, r.Metrics = nil, nil
	ready := servicer.ServingName{Name: "readiness", Status: healthpb.HealthCheckResponse_NOT_SERVING}
	for i := range n {
		name := fmt.Sprintf("check-%04d", i)
		r.Checks = append(r.Checks, &checker.Result{Name: name, Gates: []string{"readiness"}, Status: checker.Critical, Reason: checker.ReasonError})
		r.Metrics = append(r.Metrics, servicer.Metric{Name: "dependency_" + name, Status: checker.Critical, Reason: checker.ReasonError})
		ready.Causes = append(ready.Causes, servicer.Cause{Check: name, Reason: checker.ReasonError, Text: name})
	}
	r.Names[2] = ready
	return r
}

// longQuery is as long as a query may be, of excluded names, all different.
func longQuery() string {
	var q strings.Builder
	q.WriteString("/ready?verbose")
	for i := 0; q.Len() < 4080; i++ {
		fmt.Fprintf(&q, "&exclude=n%d", i)
	}
	return q.String()
}

// Each of these answers is what the smaller ones are: whoever asks for it costs as much, not as much squared.
func TestAnswersAboutFiveThousandChecks(t *testing.T) {
	t.Parallel()
	h := newHandler(t, probes.HandlerConfig{Source: newScript(crowd(5000))})
	lines := func(path string) int { return strings.Count(get(t, h, path).Body.String(), "\n") }
	if got := lines("/ready?verbose"); got != 5001 {
		t.Errorf("/ready?verbose has %d lines", got)
	}
	if got := lines("/ready?exclude=check-0001&exclude=check-0001"); got != 4999 {
		t.Errorf("without one there are %d lines", got)
	}
	warned := strings.Count(get(t, h, longQuery()).Body.String(), "warning: exclude=")
	if warned < 200 || warned > 400 {
		t.Errorf("%d warnings", warned)
	}
	if again := get(t, h, "/ready?verbose&exclude=x&exclude=x").Body.String(); strings.Count(again, "warning:") != 1 {
		t.Error("the same name is warned of twice")
	}
	for _, path := range []string{"/health", "/health?format=html", "/health?format=health", "/health/check-4999", "/ready"} {
		if w := get(t, h, path); w.Code != http.StatusServiceUnavailable || w.Body.Len() > 16<<20 {
			t.Errorf("%s answers %d with %d bytes", path, w.Code, w.Body.Len())
		}
	}
}

// The two sizes show whether the work grows faster than the answer:
//
//	go test ./probes -run '^$' -bench VerboseCrowd
func BenchmarkVerboseCrowd(b *testing.B) {
	for _, n := range []int{500, 5000} {
		h := newHandler(b, probes.HandlerConfig{Source: newScript(crowd(n))})
		for name, path := range map[string]string{"verbose": "/ready?verbose", "exclude": longQuery()} {
			b.Run(fmt.Sprintf("%s/%d", name, n), func(b *testing.B) {
				for b.Loop() {
					get(b, h, path)
				}
			})
		}
	}
}
