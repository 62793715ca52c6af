package servicer_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"

	"github.com/vitals-go/vitals/internal/logtest"
	"github.com/vitals-go/vitals/servicer"
)

const kubelet = "kube-probe/1.34 grpc-go/1.72.1"

func from(ctx context.Context, agent string) context.Context {
	return metadata.NewIncomingContext(ctx, metadata.Pairs("user-agent", agent))
}

func probe(t *testing.T, s *servicer.Server, agent, name string) {
	t.Helper()
	_, _ = s.Check(from(t.Context(), agent), &healthpb.HealthCheckRequest{Service: name}) // fails for unknown names
}

func probeHTTP(t *testing.T, s *servicer.Server, agent, path string, status int, header ...string) {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil)
	r.Header.Set("User-Agent", agent)
	for _, name := range header {
		r.Header.Set(name, "UP 2/3")
	}
	s.RecordProbe(r, status)
}

// listed returns the probers of a report, a line each.
func listed(s *servicer.Server) string {
	var text strings.Builder
	for _, p := range s.Report().Probers {
		fmt.Fprintf(&text, "%s %s %q %s", p.Kind, p.Protocol, p.Name, p.Answer)
		if p.Unknown {
			text.WriteString(" unknown")
		}
		text.WriteByte('\n')
	}
	return text.String()
}

func TestProbersAreToldApart(t *testing.T) {
	s := newServer(t, servicer.Config{Services: []string{"shop.v1.Orders"}})
	s.SetServingStatus("shop.v1.Orders", serving)
	s.SetServingStatus("shop.v1.Stock", notServing)
	probe(t, s, kubelet, "readiness")
	probe(t, s, "grpc_health_probe grpc-go/1.71.0", "shop.v1.Stock")
	probe(t, s, "Envoy/HC", "shop.v1.Orders")
	probe(t, s, "vitals_healthcheck grpc-go/1.85.0", "")
	probe(t, s, "grpc-java-netty/1.70.0", "")
	probe(t, s, "grpc-go/1.85.0", "")
	probe(t, s, "", "")
	probe(t, s, "vitals_self_check", "")
	probe(t, s, "grpc-go/1.85.0", secret)
	probe(t, s, "grpc-go/1.85.0", secret+"2")
	_, _ = s.Check(t.Context(), &healthpb.HealthCheckRequest{}) // in the process
	probeHTTP(t, s, "kube-probe/1.34", "/ready", 200)
	probeHTTP(t, s, "ELB-HealthChecker/2.0", "/health", 503)
	probeHTTP(t, s, "", "/live", 200, "X-Haproxy-Server-State")
	probeHTTP(t, s, "", "/live", 200)
	probeHTTP(t, s, "Blackbox Exporter/0.27.0", "/readyy", 404)
	probeHTTP(t, s, "Mozilla/5.0", "/favicon.ico", 404)
	want := `blackbox_exporter http "/readyy" 404 unknown
elb http "/health" 503
envoy grpc "shop.v1.Orders" SERVING
grpc grpc "" SERVING
grpc grpc "(unknown)" NOT_FOUND unknown
grpc_health_probe grpc "shop.v1.Stock" NOT_SERVING
haproxy http "/live" 200
healthcheck grpc "" SERVING
kubelet grpc "readiness" SERVING
kubelet http "/ready" 200
unnamed grpc "" SERVING
unnamed http "/live" 200
`
	if got := listed(s); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
	for _, p := range s.Report().Probers { // two for each of the gRPC clients, which are together
		if want := map[bool]uint64{true: 2, false: 1}[p.Kind == "grpc"]; p.Requests != want {
			t.Errorf("%s: %d requests, want %d", p.Kind, p.Requests, want)
		}
	}
}

// A typo in a manifest: the kubelet would restart the container for ever, and shows NOT_FOUND to nobody.
func TestProberOfUnknownNameIsReportedAndLoggedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log logtest.Log
		s := newServer(t, servicer.Config{Logger: slog.New(slog.NewTextHandler(&log, nil))})
		revision := s.Report().Revision
		for range 3 {
			probe(t, s, kubelet, "livenes")
			time.Sleep(10 * time.Second)
		}
		synctest.Wait()
		if got, want := listed(s), "kubelet grpc \"livenes\" NOT_FOUND unknown\n"; got != want || s.Report().Revision == revision {
			t.Errorf("got %q, want %q, in a new revision", got, want)
		}
		if got := log.String(); strings.Count(got, "health of an unknown name is requested") != 1 ||
			!strings.Contains(got, "prober=kubelet") || !strings.Contains(got, "name=livenes") {
			t.Errorf("log: %s", got)
		}
		s.SetServingStatus("livenes", serving)
		probe(t, s, kubelet, "livenes")
		s.SetServingStatus("x", serving) // any evaluation
		if got, want := listed(s), "kubelet grpc \"livenes\" SERVING\n"; got != want {
			t.Errorf("once the name is known: got %q, want %q", got, want)
		}
	})
}

func TestRegularProberThatStopsIsReportedAndLogged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log logtest.Log
		s := newServer(t, servicer.Config{Logger: slog.New(slog.NewTextHandler(&log, nil))})
		defer run(t, s.Run)()
		stopped := func() (names []string) {
			synctest.Wait()
			for _, p := range s.Report().Probers {
				if p.Stopped {
					names = append(names, p.Kind+" "+p.Name)
				}
			}
			return names
		}
		irregular := []time.Duration{1, 19, 2, 30, 1, 40, 3, 20, 1, 30, 2, 10}
		for i := range 12 {
			probe(t, s, kubelet, "readiness")
			probe(t, s, "grpc-go/1.85.0", "readiness")
			if i < 10 {
				probeHTTP(t, s, "kube-probe/1.34", "/startup", map[bool]int{true: 200, false: 503}[i == 9])
			}
			time.Sleep(10 * time.Second)
		}
		for _, gap := range irregular {
			probe(t, s, "curl/8", "readiness")
			probe(t, s, kubelet, "readiness")
			probe(t, s, "grpc-go/1.85.0", "readiness")
			time.Sleep(gap * time.Second)
		}
		for range 8 {
			time.Sleep(10 * time.Second)
			probe(t, s, "grpc-go/1.85.0", "readiness")
		}
		if got := stopped(); len(got) > 0 {
			t.Fatalf("stopped: %q, too early", got)
		}
		for range 30 {
			probe(t, s, kubelet, "readiness")
			time.Sleep(10 * time.Second)
		}
		got := stopped()
		if fmt.Sprint(got) != "[grpc readiness]" {
			t.Fatalf("stopped: %q, want only the grpc client", got)
		}
		if got := log.String(); strings.Count(got, "regular health requests have stopped") != 1 || !strings.Contains(got, "interval=") {
			t.Errorf("log: %s", got)
		}
		probe(t, s, "grpc-go/1.85.0", "readiness")
		probe(t, s, kubelet, "readiness")
		time.Sleep(4 * time.Minute)
		if got := stopped(); fmt.Sprint(got) != "[kubelet readiness]" {
			t.Errorf("stopped: %q, want only the kubelet", got)
		}
	})
}

func TestSuspendedProcessHoldsNothingAgainstItsProbers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t, servicer.Config{})
		stop := run(t, s.Run)
		for range 12 {
			time.Sleep(10 * time.Second)
			probe(t, s, kubelet, "readiness")
		}
		stop() // Nothing is evaluated, as when the process is stopped.
		time.Sleep(time.Hour)
		defer run(t, s.Run)()
		synctest.Wait()
		if p := s.Report().Probers; len(p) != 1 || p[0].Stopped {
			t.Errorf("%+v, want one that has not stopped", p)
		}
	})
}

func TestProberIntervalFollows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t, servicer.Config{})
		for _, every := range []time.Duration{10 * time.Second, time.Second} {
			for range 60 {
				probe(t, s, kubelet, "")
				time.Sleep(every)
			}
			s.SetServingStatus(every.String(), serving)
			p := s.Report().Probers[0]
			if off := (p.Interval - every).Abs(); off > every/100 {
				t.Errorf("interval %v, want %v", p.Interval, every)
			}
			if !p.Last.Equal(time.Now().Add(-every)) {
				t.Errorf("last at %v, want %v ago", p.Last, every)
			}
		}
	})
}

func TestWatchesAreProbersWhileOpen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t, servicer.Config{})
		ctx, cancel := context.WithCancel(from(t.Context(), "grpc-go/1.85.0"))
		stream := &fakeStream{ctx: ctx, send: func(servingStatus) error { return nil }}
		ended := make(chan error, 1)
		go func() { ended <- s.Watch(&healthpb.HealthCheckRequest{Service: "shop.v1.Orders"}, stream) }()
		synctest.Wait()
		look := func(answer string, unknown bool, open int) {
			t.Helper()
			s.SetServingStatus("x"+answer+strconv.Itoa(open), serving) // any evaluation
			p := s.Report().Probers
			if len(p) != 1 || p[0].Protocol != "grpc-watch" || p[0].Answer != answer || p[0].Unknown != unknown || p[0].Open != open || p[0].Requests != 1 {
				t.Errorf("got %+v, want %s, unknown %v, %d open", p, answer, unknown, open)
			}
		}
		look("SERVICE_UNKNOWN", true, 1)
		s.SetServingStatus("shop.v1.Orders", notServing)
		look("NOT_SERVING", false, 1)
		cancel()
		<-ended
		look("NOT_SERVING", false, 0)
	})
}

// Any peer that can connect can name itself and ask for any name, at any rate.
func TestProbersAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log logtest.Log
		s := newServer(t, servicer.Config{Logger: slog.New(slog.NewTextHandler(&log, nil))})
		for i := range 200 {
			s.SetServingStatus(fmt.Sprintf("known%d", i), serving)
		}
		const secret = "\n<script>\x00é"
		for i := range 1000 {
			probe(t, s, kubelet, fmt.Sprintf("%04d%s", i, secret)+strings.Repeat("x", 100))
			probe(t, s, kubelet, strings.Repeat("y", 1<<16)) // not in the log either
		}
		for i := range 200 {
			probe(t, s, kubelet, fmt.Sprintf("known%d", i))
		}
		unknown := 0
		probers := s.Report().Probers
		for _, p := range probers {
			if p.Unknown {
				unknown++
				if len(p.Name) > 128 || p.Name != "(unknown)" && strings.Trim(p.Name, "0123456789x<script>?") != "" {
					t.Errorf("name %q", p.Name)
				}
			}
		}
		if unknown != 16 || len(probers) != 64 {
			t.Errorf("%d probers, %d unknown, want 64 and 16", len(probers), unknown)
		}
		synctest.Wait()
		if n := strings.Count(log.String(), "unknown name"); n != 16 || strings.Contains(log.String(), "yyy") {
			t.Errorf("%d lines about unknown names, want 16, without the longest", n)
		}
		time.Sleep(2 * time.Hour)
		probe(t, s, "Envoy/HC", "livenes")
		if got, want := listed(s), "envoy grpc \"livenes\" NOT_FOUND unknown\n"; got != want {
			t.Errorf("later: got %q, want %q", got, want)
		}
	})
}

func TestRecordingProbersAllocatesNothingButTheUserAgent(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	s := newServer(t, servicer.Config{})
	ctx, request := from(t.Context(), kubelet), &healthpb.HealthCheckRequest{}
	// metadata.ValueFromIncomingContext copies a slice of one string.
	if n := testing.AllocsPerRun(100, func() { _, _ = s.Check(ctx, request) }); n > 1 {
		t.Errorf("Check allocates %v times, want at most 1", n)
	}
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/ready", nil)
	if n := testing.AllocsPerRun(100, func() { s.RecordProbe(r, 200) }); n > 0 {
		t.Errorf("RecordProbe allocates %v times, want 0", n)
	}
}

func TestConcurrentProbersAreCounted(t *testing.T) {
	s := newServer(t, servicer.Config{})
	done := make(chan struct{})
	for i := range 8 {
		go func() {
			defer func() { done <- struct{}{} }()
			for range 1000 {
				probe(t, s, kubelet, []string{"", "liveness"}[i%2])
			}
		}()
	}
	for range 8 {
		<-done
	}
	s.SetServingStatus("x", serving)
	var n uint64
	for _, p := range s.Report().Probers {
		n += p.Requests
	}
	if n != 8000 {
		t.Errorf("%d requests, want 8000", n)
	}
}

func BenchmarkCheckOfProber(b *testing.B) {
	s := newServer(b, servicer.Config{})
	ctx, request := from(b.Context(), kubelet), &healthpb.HealthCheckRequest{}
	b.ReportAllocs()
	for b.Loop() {
		_, _ = s.Check(ctx, request)
	}
}
