package browser_test

import (
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"github.com/vitals-go/vitals/probes"
	"github.com/vitals-go/vitals/servicer"
)

// script is a source that says what the test wants, so that the page can be seen in states, and with texts, to which no
// judge would come in a hurry.
type script struct {
	addr string

	mu      sync.Mutex
	report  *servicer.Report
	changed chan struct{} // closed when report is replaced
}

// newScript serves the page of a report, which looks back on four minutes, until the test ends.
func newScript(t *testing.T, report *servicer.Report) *script {
	t.Helper()
	s := &script{changed: make(chan struct{})}
	handler := newHandler(t, s)
	for _, s.report = range append(pastOf(report), report) { // The page keeps what it has once shown.
		handler.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/health?format=html", nil))
	}
	var lis net.Listener
	lis, s.addr = listen(t)
	web, err := probes.NewServer(probes.ServerConfig{Handler: handler, Listener: lis})
	if err != nil {
		t.Fatal(err)
	}
	background(t, handler.Run, web.Run)
	return s
}

// publish makes report the newest edition.
func (s *script) publish(report *servicer.Report) {
	s.mu.Lock()
	defer s.mu.Unlock()
	report.Revision = s.report.Revision + 1
	s.report = report
	close(s.changed)
	s.changed = make(chan struct{})
}

// Report implements servicer.ReportSource.
func (s *script) Report() *servicer.Report {
	report, _ := s.newest()
	return report
}

// Changed implements servicer.ReportSource.
func (s *script) Changed() <-chan struct{} {
	_, changed := s.newest()
	return changed
}

func (s *script) newest() (*servicer.Report, <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.report, s.changed
}
