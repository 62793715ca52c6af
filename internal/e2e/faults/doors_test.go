package faults

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"

	"github.com/vitals-go/vitals/internal/e2e/oracle"
	"github.com/vitals-go/vitals/internal/e2e/testdeps"
	"github.com/vitals-go/vitals/servicer/vitalspb"
)

const (
	serving    = healthpb.HealthCheckResponse_SERVING
	notServing = healthpb.HealthCheckResponse_NOT_SERVING
)

// TestDatabaseBehindEveryDoor stops and freezes PostgreSQL under a server, and wants every door to follow each time, in
// the right order, and to stay with it.
func TestDatabaseBehindEveryDoor(t *testing.T) {
	t.Parallel()
	pg, redis := testdeps.NewPostgres(t), testdeps.NewRedis(t)
	p := startServer(t, "DATABASE_URL="+pg.Database(), "REDIS_URL="+redis.URL())
	p.follows(world())
	end := p.observe("database", "database", "readiness", "", oracle.Service)
	pg.Stop()
	p.follows(world(oracle.Database))
	pg.Start()
	p.follows(world())
	pg.Freeze()
	p.follows(world(oracle.Database))
	pg.Thaw()
	p.follows(world())
	all := end()
	told := all.report
	// A frozen database warns while it has only been late once or twice, and on a starved machine has no recent result
	// before it has been late three times. Nothing else may be seen in between.
	without := slices.DeleteFunc(slices.Clone(told), func(status string) bool { return status == "warning" || status == "unknown" })
	if want := outages("healthy", "critical"); !slices.Equal(without, want) {
		t.Errorf("report stream: %q, want %q", told, want)
	}
	for i, status := range told {
		before := []string{"healthy"}
		switch {
		case status == "unknown":
			before = append(before, "warning")
		case status == "warning" && i+1 < len(told) && told[i+1] == "healthy":
			before = append(before, "critical") // the first answer after an outage may be a slow one, which is degraded
		}
		if !slices.Contains([]string{"healthy", "critical"}, status) && (i == 0 || !slices.Contains(before, told[i-1])) {
			t.Errorf("report stream: %q is %s in the wrong place", told, status)
		}
	}
	for name, statuses := range all.names {
		if want := outages(serving, notServing); !slices.Equal(statuses, want) {
			t.Errorf("Watch of %q: %v, want %v", name, statuses, want)
		}
	}
	p.journal("database", "NOT_SERVING", 2)
}

// TestCacheBehindEveryDoor does the same to Redis, without which the server can do: it is a warning, no more.
func TestCacheBehindEveryDoor(t *testing.T) {
	t.Parallel()
	pg, redis := testdeps.NewPostgres(t), testdeps.NewRedis(t)
	p := startServer(t, "DATABASE_URL="+pg.Database(), "REDIS_URL="+redis.URL())
	p.follows(world())
	end := p.observe("cache", "cache", "readiness", "", oracle.Service)
	redis.Stop()
	p.follows(world(oracle.Cache))
	redis.Start()
	p.follows(world())
	redis.Freeze()
	p.follows(world(oracle.Cache))
	redis.Thaw()
	p.follows(world())
	all := end()
	told := all.report
	if want := []string{"healthy", "warning", "healthy", "warning", "healthy"}; !slices.Equal(told, want) {
		t.Errorf("report stream: %q, want %q", told, want)
	}
	for name, statuses := range all.names {
		if !slices.Equal(statuses, []healthpb.HealthCheckResponse_ServingStatus{serving}) {
			t.Errorf("Watch of %q: %v, want SERVING all the time", name, statuses)
		}
	}
}

// outages is what two of them look like.
func outages[T any](good, bad T) []T { return []T{good, bad, good, bad, good} }

// follows waits until every door says what it should, and wants them to stay so for a few more runs of the checks.
func (p *process) follows(want oracle.Expected) {
	p.t.Helper()
	testdeps.Eventually(p.t, patience, func() error { return p.differs(want) })
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for range 12 {
		<-tick.C
		if err := p.differs(want); err != nil {
			p.t.Errorf("every endpoint had reported that, and now: %v", err)
			return
		}
	}
}

// seen is what watches have been told, in order and without repetition.
type seen struct {
	report []string // statuses of the check
	names  map[string][]healthpb.HealthCheckResponse_ServingStatus
}

// observe watches a check through the report's stream and names through health watches, until end is called.
func (p *process) observe(check string, names ...string) (end func() seen) {
	p.t.Helper()
	ctx, cancel := context.WithCancel(p.t.Context())
	var watching sync.WaitGroup
	all := seen{names: make(map[string][]healthpb.HealthCheckResponse_ServingStatus)}
	streamed := stream(p, ctx, &watching, func() (grpc.ServerStreamingClient[vitalspb.HealthReportResponse], error) {
		return p.Reports.WatchHealthReport(ctx, &vitalspb.WatchHealthReportRequest{MinIntervalSeconds: .1})
	}, func(report *vitalspb.HealthReportResponse) {
		all.report = slices.Compact(append(all.report, report.GetMetrics()["dependency_"+check].GetStatus()))
	})
	<-streamed
	var mu sync.Mutex
	for _, name := range names {
		<-stream(p, ctx, &watching, func() (grpc.ServerStreamingClient[healthpb.HealthCheckResponse], error) {
			return p.Health.Watch(ctx, &healthpb.HealthCheckRequest{Service: name})
		}, func(resp *healthpb.HealthCheckResponse) {
			mu.Lock()
			defer mu.Unlock()
			all.names[name] = append(all.names[name], resp.GetStatus())
		})
	}
	stop := func() { cancel(); watching.Wait() }
	p.t.Cleanup(stop)
	return func() seen { stop(); return all }
}

// stream receives until ctx ends. The channel is closed once the first message has been received.
func stream[T any](
	p *process, ctx context.Context, watching *sync.WaitGroup, open func() (grpc.ServerStreamingClient[T], error), on func(*T),
) (first <-chan struct{}) {
	p.t.Helper()
	messages, err := open()
	if err != nil {
		p.t.Fatal(err)
	}
	received := make(chan struct{})
	watching.Go(func() {
		announce := sync.OnceFunc(func() { close(received) })
		defer announce()
		for {
			message, err := messages.Recv()
			if err != nil {
				if ctx.Err() == nil {
					p.t.Errorf("the stream has ended: %v", err)
				}
				return
			}
			on(message)
			announce()
		}
	})
	return received
}

// journal wants the report to remember every outage of a name, as a chain without gaps.
func (p *process) journal(name, bad string, outages int) {
	p.t.Helper()
	report, err := p.Reports.GetHealthReport(p.t.Context(), &vitalspb.HealthReportRequest{})
	if err != nil {
		p.t.Fatal(err)
	}
	found, last := 0, ""
	for _, entry := range report.GetTransitions() { // the newest first
		if !slices.Contains(entry.GetNames(), name) {
			continue
		}
		if last != "" && entry.GetTo() != last {
			p.t.Errorf("journal: %v is followed by one from %s", entry, last)
		}
		last = entry.GetFrom()
		if strings.EqualFold(entry.GetTo(), bad) {
			found++
		}
	}
	if found != outages {
		p.t.Errorf("journal: %d outages of %s, want %d", found, name, outages)
	}
}
