package servicer_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"

	"github.com/vitals-go/vitals/breaker"
	"github.com/vitals-go/vitals/checker"
	"github.com/vitals-go/vitals/interceptor"
	"github.com/vitals-go/vitals/internal/logtest"
	"github.com/vitals-go/vitals/servicer"
	"github.com/vitals-go/vitals/servicer/vitalspb"
)

// secret stands for the DSN in the error of a driver.
const secret = "hunter2"

// reporting serves s over l and returns a client of its report service. stop ends both.
func reporting(t *testing.T, l link, s *servicer.Server) (client vitalspb.HealthReportServiceClient, stop func()) {
	t.Helper()
	server := l.newServer()
	s.Register(server)
	go func() { _ = server.Serve(l.lis) }()
	conn := l.dial(t)
	return vitalspb.NewHealthReportServiceClient(conn), func() {
		_ = conn.Close()
		server.Stop()
	}
}

func TestGetHealthReport(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var database dependency
		database.fail(errors.New(secret))
		c := newChecker(t, checker.Check{Name: "database", Run: database.ping})
		rec, err := interceptor.New(interceptor.Config{})
		if err != nil {
			t.Fatal(err)
		}
		s := newServer(t, servicer.Config{Checker: c, Recorder: rec, Version: "1.2.3"})
		defer run(t, c.Run)()
		defer run(t, s.Run)()
		client, stop := reporting(t, overMemory(t), s)
		defer stop()
		for range 40 {
			call(rec, "/shop.v1.Orders/Get", nil)
		}
		time.Sleep(90 * time.Second)
		call(rec, "/shop.v1.Orders/Get", nil)
		time.Sleep(2 * time.Second)
		r, err := client.GetHealthReport(t.Context(), &vitalspb.HealthReportRequest{})
		if err != nil {
			t.Fatal(err)
		}
		if r.OverallStatus != "critical" || r.UptimeSeconds != 92 || r.Version != "1.2.3" || r.Phase != "ready" ||
			r.Timestamp != time.Now().UTC().Format(time.RFC3339Nano) {
			t.Errorf("response = %v", r)
		}
		m := r.Metrics["dependency_database"]
		if m.GetValue() != "unavailable" || m.GetStatus() != "critical" || m.GetMessage() != "Dependency database is unavailable" ||
			m.GetReason() != "error" || m.GetDetail() != "" || m.GetLastUpdated() == "" || m.GetSince() == "" {
			t.Errorf("metric = %v", m)
		}
		if m := r.Metrics["request_success_rate"]; m.GetThreshold() != "95" || m.GetUnit() != "%" || m.GetNumber() != 100 {
			t.Errorf("metric = %v", m)
		}
		if len(r.Names) != 5 || len(r.Transitions) == 0 || len(r.Methods) != 0 {
			t.Errorf("response = %v", r)
		}
		r, err = client.GetHealthReport(t.Context(), &vitalspb.HealthReportRequest{IncludeMethods: true})
		if err != nil || len(r.Methods) != 1 || r.Methods[0].Method != "Get" || r.Methods[0].Handled != 41 || r.Methods[0].Type != "unary" {
			t.Errorf("methods = %v, %v", r.GetMethods(), err)
		}
	})
}

func TestMessagesAreBuiltOncePerReport(t *testing.T) {
	t.Parallel()
	s := newServer(t, servicer.Config{Breakers: []breaker.SnapshotSource{newFakeBreaker("a")}})
	service := s.ReportServer()
	answers := make([]*vitalspb.HealthReportResponse, 200)
	var wg sync.WaitGroup
	for i := range answers {
		wg.Go(func() { answers[i], _ = service.GetHealthReport(t.Context(), &vitalspb.HealthReportRequest{}) })
	}
	wg.Wait()
	for _, a := range answers {
		if a.Metrics["breaker_a"] != answers[0].Metrics["breaker_a"] {
			t.Fatal("the messages of a report were built twice")
		}
	}
}

func TestWatchHealthReport(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t, servicer.Config{})
		defer run(t, s.Run)()
		client, stop := reporting(t, overMemory(t), s)
		defer stop()
		stream, err := client.WatchHealthReport(t.Context(), &vitalspb.WatchHealthReportRequest{MinIntervalSeconds: 10})
		if err != nil {
			t.Fatal(err)
		}
		receive := func() (seq uint64, status string, after time.Duration) {
			t.Helper()
			began := time.Now()
			r, err := stream.Recv()
			if err != nil {
				t.Fatal(err)
			}
			return r.Revision, r.Names[0].Status, time.Since(began)
		}
		first, state, after := receive()
		if state != "SERVING" || after != 0 {
			t.Errorf("first: %v after %v", state, after)
		}
		for range 5 {
			s.SetServingStatus("", stoodDown)
			synctest.Wait()
			s.SetServingStatus("", serves)
			synctest.Wait()
		}
		s.SetServingStatus("", stoodDown)
		if seq, state, after := receive(); state != "NOT_SERVING" || after != 10*time.Second || seq < first+11 {
			t.Errorf("second: revision %d, %v after %v", seq, state, after)
		}
		time.Sleep(time.Minute)
		s.SetServingStatus("", serves)
		if _, state, after := receive(); state != "SERVING" || after != 0 {
			t.Errorf("third: %v after %v", state, after)
		}
	})
}

func TestReportStreamsEndWithDrain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t, servicer.Config{})
		l := overMemory(t)
		server := l.newServer()
		s.Register(server)
		ctx, end := context.WithCancel(t.Context())
		defer end()
		served := make(chan error, 1)
		go func() { served <- s.Serve(ctx, server, l.lis) }()
		conn := l.dial(t)
		defer func() { _ = conn.Close() }()
		stream, err := vitalspb.NewHealthReportServiceClient(conn).WatchHealthReport(t.Context(), &vitalspb.WatchHealthReportRequest{})
		if err != nil {
			t.Fatal(err)
		}
		phases := ""
		began := time.Now()
		for {
			r, err := stream.Recv()
			if err != nil {
				if status.Code(err) != codes.Unavailable {
					t.Errorf("the stream ended with %v", err)
				}
				break
			}
			if !strings.HasSuffix(phases, r.Phase) {
				phases += " " + r.Phase
			}
			if r.Phase == "ready" {
				end()
			}
		}
		if err := <-served; err != nil || phases != " ready draining" || time.Since(began) != 5*time.Second {
			t.Errorf("served: %v, phases:%v, after %v", err, phases, time.Since(began))
		}
	})
}

func TestReportStreamLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t, servicer.Config{MaxReportStreams: 2})
		client, stop := reporting(t, overMemory(t), s)
		defer stop()
		open := func() (context.CancelFunc, error) {
			ctx, cancel := context.WithCancel(t.Context())
			stream, err := client.WatchHealthReport(ctx, &vitalspb.WatchHealthReportRequest{})
			if err == nil {
				_, err = stream.Recv()
			}
			return cancel, err
		}
		leave, err1 := open()
		stay, err2 := open()
		defer stay()
		refused, err3 := open()
		defer refused()
		if err1 != nil || err2 != nil || status.Code(err3) != codes.ResourceExhausted {
			t.Errorf("opened with %v, %v, %v", err1, err2, err3)
		}
		leave()
		synctest.Wait()
		again, err := open()
		defer again()
		if err != nil {
			t.Errorf("the place of one who left stays taken: %v", err)
		}
	})
}

func TestDetailsAreShownByPolicyOnly(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		details servicer.Details
		link    func(*testing.T) link
		header  []string
		want    bool
	}{
		"never":                         {servicer.Details{}, overTCP, nil, false},
		"local, loopback":               {servicer.Details{Policy: servicer.DetailsLocal}, overTCP, nil, true},
		"local, Unix socket":            {servicer.Details{Policy: servicer.DetailsLocal}, overUnix, nil, true},
		"local, through a sidecar":      {servicer.Details{Policy: servicer.DetailsLocal}, overTCP, []string{"x-forwarded-for", "1.2.3.4"}, false},
		"local, TLS":                    {servicer.Details{Policy: servicer.DetailsLocal}, overTLS, nil, true},
		"always, even through a proxy":  {servicer.Details{Policy: servicer.DetailsAlways}, overTCP, []string{"via", "x"}, true},
		"who has the word":              {servicer.Details{Authorize: knowsTheWord}, overTCP, []string{"word", "sesame"}, true},
		"who does not have the word":    {servicer.Details{Authorize: knowsTheWord}, overTCP, []string{"word", "please"}, false},
		"local in memory is not local ": {servicer.Details{Policy: servicer.DetailsLocal}, overMemory, nil, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := failing(t, tc.details, nil)
			client, stop := reporting(t, tc.link(t), s)
			defer stop()
			ctx := metadata.AppendToOutgoingContext(t.Context(), tc.header...)
			r, err := client.GetHealthReport(ctx, &vitalspb.HealthReportRequest{IncludeMethods: true})
			if err != nil {
				t.Fatal(err)
			}
			if got := strings.Contains(protojson.Format(r), secret); got != tc.want {
				t.Errorf("the secret is shown: %v\n%v", got, protojson.Format(r))
			}
		})
	}
}

func knowsTheWord(_ context.Context, c servicer.Caller) bool {
	return fmt.Sprint(c.Header["word"]) == "[sesame]"
}

// failing returns a Server all of whose witnesses have failed with the secret.
func failing(t *testing.T, details servicer.Details, log *slog.Logger) *servicer.Server {
	t.Helper()
	bad := func(context.Context) error { return errors.New("dial postgres://u:" + secret + "@db") }
	panics := func(context.Context) error { panic(secret) }
	unmeasured := func(context.Context) (checker.Measurement, error) { return checker.Measurement{}, errors.New(secret) }
	c := newChecker(t,
		checker.Check{Name: "database", Run: bad},
		checker.Check{Name: "cache", Run: panics, Optional: true},
		checker.Check{Name: "cpu_usage", Kind: checker.Resource, Measure: unmeasured},
		checker.Check{Name: "memory_usage", Kind: checker.Resource, Measure: unmeasured},
		checker.Check{Name: "loop", Kind: checker.Process, Run: bad},
	)
	b := newFakeBreaker("database")
	b.set(func(b *breaker.Snapshot) { b.State, b.LastFailure = breaker.Open, errors.New(secret) })
	s := newServer(t, servicer.Config{Checker: c, Breakers: []breaker.SnapshotSource{b}, Details: details, Logger: log})
	stopChecks, stop := run(t, c.Run), run(t, s.Run)
	for report := range s.Changes(t.Context()) {
		n, _ := report.Lookup("liveness")
		if m, found := report.Metric("system_resources"); found && strings.Contains(m.Message, "memory") && n.Status == stoodDown && report.Phase == servicer.Ready {
			break
		}
	}
	stop()
	stopChecks()
	return s
}

func TestOnlyTheLogHoldsTheSecret(t *testing.T) {
	t.Parallel()
	var log logtest.Log
	s := failing(t, servicer.Details{}, slog.New(slog.NewJSONHandler(&log, nil)))
	client, stop := reporting(t, overTCP(t), s)
	defer stop()
	r, err := client.GetHealthReport(t.Context(), &vitalspb.HealthReportRequest{IncludeMethods: true})
	if err != nil {
		t.Fatal(err)
	}
	stream, err := client.WatchHealthReport(t.Context(), &vitalspb.WatchHealthReportRequest{})
	if err != nil {
		t.Fatal(err)
	}
	first, err := stream.Recv()
	if err != nil {
		t.Fatal(err)
	}
	report := s.Report()
	for door, text := range map[string]string{
		"GetHealthReport":   protojson.Format(r),
		"WatchHealthReport": protojson.Format(first),
		"names":             fmt.Sprintf("%+v", report.Names),
		"transitions":       fmt.Sprintf("%+v", report.Transitions),
	} {
		if strings.Contains(text, secret) {
			t.Errorf("%s shows the secret: %s", door, text)
		}
	}
	if !strings.Contains(log.String(), secret) {
		t.Errorf("the log does not have the cause:\n%s", log.String())
	}
}

func TestTransitionsAreLoggedOnceWithTheirCause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		var database dependency
		c := newChecker(t, checker.Check{Name: "database", Run: database.ping, Jitter: -1})
		s := newServer(t, servicer.Config{
			Checker: c, Services: []string{"shop.v1.Orders", "shop.v1.Carts"}, Logger: slog.New(slog.NewJSONHandler(&log, nil)),
		})
		defer run(t, c.Run)()
		stop := run(t, s.Run)
		time.Sleep(time.Second)
		synctest.Wait()
		log.Reset()
		database.fail(errors.New("refused"))
		time.Sleep(10 * time.Minute)
		stop()
		var lines []map[string]any
		for line := range strings.Lines(log.String()) {
			var record map[string]any
			if err := json.Unmarshal([]byte(line), &record); err != nil {
				t.Fatal(err)
			}
			lines = append(lines, record)
		}
		if len(lines) != 1 {
			t.Fatalf("log:\n%s", log.String())
		}
		got := lines[0]
		vitals, _ := got["vitals"].(map[string]any)
		if got["msg"] != "server is not serving: database: Dependency database is unavailable" || got["level"] != "WARN" || vitals["logger"] != "plugin.health" ||
			vitals["check"] != "database" || vitals["reason"] != "error" || vitals["error"] != "refused" ||
			fmt.Sprint(vitals["names"]) != "[server shop.v1.Carts shop.v1.Orders]" {
			t.Errorf("record = %v", got)
		}
	})
}

// hungLog is a log handler that blocks until it is let go.
type hungLog struct {
	slog.Handler
	free chan struct{}
}

func (h hungLog) Handle(context.Context, slog.Record) error { <-h.free; return nil }
func (h hungLog) WithAttrs([]slog.Attr) slog.Handler        { return h }
func (h hungLog) WithGroup(string) slog.Handler             { return h }

func TestBlockedLogDelaysNoReport(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := hungLog{slog.DiscardHandler, make(chan struct{})}
		var database dependency
		c := newChecker(t, checker.Check{Name: "database", Run: database.ping, Jitter: -1})
		s := newServer(t, servicer.Config{Checker: c, Logger: slog.New(enabled{log})})
		defer run(t, c.Run)()
		stop := run(t, s.Run)
		synctest.Wait()
		database.fail(errors.New("refused"))
		time.Sleep(30 * time.Second)
		synctest.Wait()
		if check(t, s, "") != stoodDown {
			t.Error("the verdict waits for the log")
		}
		close(log.free)
		stop()
	})
}

type enabled struct{ hungLog }

func (enabled) Enabled(context.Context, slog.Level) bool { return true }
func (e enabled) WithAttrs([]slog.Attr) slog.Handler     { return e }
func (e enabled) WithGroup(string) slog.Handler          { return e }

// Each call builds its own outermost message: a field that it forgets is in no response.
func TestReportRPCSendsEveryField(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rec, err := interceptor.New(interceptor.Config{})
		if err != nil {
			t.Fatal(err)
		}
		var ledger dependency
		ledger.fail(errors.New("stricter than it should be"))
		c := newChecker(t, checker.Check{Name: "ledger", Run: ledger.ping, Shadow: true})
		s := newServer(t, servicer.Config{Checker: c, Recorder: rec, Version: "1.2.3"})
		defer run(t, c.Run)()
		defer run(t, s.Run)()
		client, stop := reporting(t, overMemory(t), s)
		defer stop()
		time.Sleep(time.Second)
		s.SetStandby(true)
		if err := s.SetMaintenance("", "new disks", time.Hour); err != nil {
			t.Fatal(err)
		}
		call(rec, "/shop.v1.Orders/Get", nil)
		probe(t, s, kubelet, "readiness")
		time.Sleep(2 * time.Second)
		r, err := client.GetHealthReport(t.Context(), &vitalspb.HealthReportRequest{IncludeMethods: true})
		if err != nil {
			t.Fatal(err)
		}
		fields := r.ProtoReflect().Descriptor().Fields()
		for i := range fields.Len() {
			if !r.ProtoReflect().Has(fields.Get(i)) {
				t.Errorf("%s is missing in %v", fields.Get(i).Name(), r)
			}
		}
	})
}
