package orcavitals_test

import (
	"context"
	"errors"
	"math"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	orcapb "github.com/cncf/xds/go/xds/data/orca/v3"
	"google.golang.org/grpc/codes"

	"github.com/vitals-go/vitals/checker/resource"
	"github.com/vitals-go/vitals/servicer/orcavitals"
)

// bubble runs test in a synctest bubble, slightly after the samples.
func bubble(t *testing.T, change func(*orcavitals.Config), test func(*testing.T, *rig)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		r := start(t, change)
		defer r.stop()
		time.Sleep(time.Millisecond)
		test(t, r)
	})
}

func TestTrailerReportsTheLoad(t *testing.T) {
	bubble(t, nil, func(t *testing.T, r *rig) {
		r.machine.set(func(m *machine) { m.busy = 0.5 })
		for range 5 { // seconds
			for range 7 {
				r.call(codes.OK)
			}
			r.call(codes.NotFound) // the caller's mistake
			r.call(codes.Internal)
			r.call(codes.Unavailable)
			time.Sleep(time.Second)
		}
		want(t, r.call(codes.OK), &orcapb.OrcaLoadReport{CpuUtilization: 0.4995, MemUtilization: 0.25, RpsFractional: 10, Eps: 2})
	})
}

func TestOldSamplesLeaveTheWindow(t *testing.T) {
	bubble(t, nil, func(t *testing.T, r *rig) {
		r.machine.set(func(m *machine) { m.busy = 1 })
		for range 50 {
			r.call(codes.Internal)
		}
		time.Sleep(5 * time.Second)
		report := r.call(codes.OK)
		want(t, report, &orcapb.OrcaLoadReport{CpuUtilization: 0.9998, MemUtilization: 0.25, RpsFractional: 10, Eps: 10})
		r.machine.set(func(m *machine) { m.busy = 0 })
		time.Sleep(2 * time.Second)
		want(t, r.call(codes.OK), &orcapb.OrcaLoadReport{CpuUtilization: 0.6, MemUtilization: 0.25, RpsFractional: 0.2})
		time.Sleep(5 * time.Second)
		want(t, r.call(codes.OK), &orcapb.OrcaLoadReport{MemUtilization: 0.25, RpsFractional: 0.2})
	})
}

func TestNoReportBeforeTheSecondSampleAndAfterRun(t *testing.T) {
	bubble(t, nil, func(t *testing.T, r *rig) {
		if report := r.call(codes.OK); report != nil {
			t.Errorf("before: %v", report)
		}
		if m := r.reporter.ServerMetrics(); m.CPUUtilization != -1 || m.MemUtilization != -1 || m.AppUtilization != -1 || m.QPS != -1 || m.EPS != -1 {
			t.Errorf("before: %+v", m)
		}
		time.Sleep(time.Second)
		if r.call(codes.OK) == nil {
			t.Error("no report after the second sample")
		}
		r.end()
		synctest.Wait()
		if report := r.call(codes.OK); report != nil {
			t.Errorf("after Run: %v", report)
		}
	})
}

func TestUnknownValuesStayUnsetAndAreLoggedOnce(t *testing.T) {
	bubble(t, nil, func(t *testing.T, r *rig) {
		r.machine.set(func(m *machine) { m.busy, m.err = 0.5, errors.New("no such file") })
		time.Sleep(10 * time.Second)
		m := r.reporter.ServerMetrics()
		if m.CPUUtilization != -1 || m.MemUtilization != -1 || m.AppUtilization != -1 || m.QPS != 0 || m.EPS != 0 {
			t.Errorf("got %+v", m)
		}
		r.machine.set(func(m *machine) { m.err = nil })
		time.Sleep(3 * time.Second)
		want(t, r.call(codes.OK), &orcapb.OrcaLoadReport{CpuUtilization: 0.5, MemUtilization: 0.25})
		r.wantLogged("sampling failed", 2) // CPU and memory
		r.wantLogged("sampling recovered", 2)
	})
}

func TestEndOfRunLogsNoRecovery(t *testing.T) {
	bubble(t, nil, func(t *testing.T, r *rig) {
		r.machine.set(func(m *machine) { m.err = errors.New("no such file") })
		time.Sleep(5 * time.Second)
		hang := make(chan struct{})
		r.machine.set(func(m *machine) { m.hang = hang })
		time.Sleep(time.Second)
		r.end()
		close(hang)
		r.wantLogged("sampling recovered", 0)
	})
}

func TestNoRatesWithoutRecorder(t *testing.T) {
	bubble(t, func(cfg *orcavitals.Config) { cfg.Recorder = nil }, func(t *testing.T, r *rig) {
		time.Sleep(5 * time.Second)
		if m := r.reporter.ServerMetrics(); m.QPS != -1 || m.EPS != -1 || m.MemUtilization != 0.25 {
			t.Errorf("got %+v", m)
		}
	})
}

func TestReportIsWithdrawnWhenSamplingHangs(t *testing.T) {
	bubble(t, nil, func(t *testing.T, r *rig) {
		time.Sleep(5 * time.Second)
		hang := make(chan struct{})
		r.machine.set(func(m *machine) { m.hang = hang })
		time.Sleep(3500 * time.Millisecond)
		if report := r.call(codes.OK); report != nil {
			t.Errorf("got the old report %v", report)
		}
		r.machine.set(func(m *machine) { m.hang = nil })
		close(hang)
		time.Sleep(time.Second)
		if r.call(codes.OK) == nil {
			t.Error("no report after the recovery")
		}
		r.wantLogged("sampling hangs", 1)
	})
}

func TestUtilizationOfTheApplication(t *testing.T) {
	var used atomic.Uint64
	bubble(t, func(cfg *orcavitals.Config) {
		cfg.Utilization = func() float64 {
			used := math.Float64frombits(used.Load())
			switch used {
			case -0.5:
				panic("a bug")
			case -0.25:
				runtime.Goexit()
			}
			return used
		}
	}, func(t *testing.T, r *rig) {
		for _, step := range []struct{ says, want float64 }{
			{0.25, 0.25}, {1.5, 1.5}, {math.NaN(), -1}, {-1, -1}, {math.Inf(1), -1}, {-0.5, -1}, {-0.25, -1}, {0, 0},
		} {
			used.Store(math.Float64bits(step.says))
			time.Sleep(10 * time.Second)
			if got := r.reporter.ServerMetrics().AppUtilization; got != step.want {
				t.Errorf("Utilization %v: got %v, want %v", step.says, got, step.want)
			}
		}
		r.wantLogged("panic: a bug", 1)
	})
}

func TestApplicationUtilizationOfMaxInFlight(t *testing.T) {
	bubble(t, func(cfg *orcavitals.Config) { cfg.MaxInFlight = 4 }, func(t *testing.T, r *rig) {
		r.tests.handle = func(ctx context.Context) { <-ctx.Done() }
		defer inFlight(r, 3)()
		time.Sleep(10 * time.Second)
		if got := r.reporter.ServerMetrics().AppUtilization; got != 0.75 {
			t.Errorf("3 of 4 in flight: got %v", got)
		}
		r.machine.set(func(m *machine) { m.busy = 0.9 })
		time.Sleep(10 * time.Second)
		if got := r.reporter.ServerMetrics().AppUtilization; math.Abs(got-0.9) > 1e-9 {
			t.Errorf("90 %% CPU: got %v", got)
		}
	})
}

func TestUnauthorizedCallsGetNoReport(t *testing.T) {
	bubble(t, nil, func(t *testing.T, r *rig) {
		time.Sleep(5 * time.Second)
		for code, want := range map[codes.Code]bool{
			codes.OK: true, codes.Internal: true, codes.NotFound: true, codes.Unauthenticated: false, codes.PermissionDenied: false,
		} {
			if report := r.call(code); (report != nil) != want {
				t.Errorf("%v: got report %v", code, report)
			}
		}
	})
}

func TestNewReportsAllMistakes(t *testing.T) {
	for name, cfg := range map[string]orcavitals.Config{
		"Interval":               {Interval: time.Millisecond},
		"Interval: got 2562047h": {Interval: math.MaxInt64},
		"Window":                 {Window: time.Second},
		"MaxInFlight":            {MaxInFlight: -1},
		"Recorder":               {MaxInFlight: 1},
		"Utilization":            {MaxInFlight: 1, Utilization: func() float64 { return 1 }},
	} {
		if _, err := orcavitals.New(cfg); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	cfg := orcavitals.Config{Interval: -1, MaxInFlight: -1}
	_, err := orcavitals.New(cfg)
	for _, field := range []string{"Interval", "MaxInFlight"} {
		if err == nil || !strings.Contains(err.Error(), field) {
			t.Errorf("%s missing in %v", field, err)
		}
	}
}

func TestSecondRunFails(t *testing.T) {
	bubble(t, nil, func(t *testing.T, r *rig) {
		if err := r.reporter.Run(t.Context()); err == nil {
			t.Error("no error")
		}
	})
}

// A configured limit of a thousandth of what a Go process needs is exhausted.
func TestConfiguredLimitsCount(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("the memory of the process is not read on " + runtime.GOOS)
	}
	r, err := orcavitals.New(orcavitals.Config{Interval: 100 * time.Millisecond, Resources: resource.Config{MemoryBytes: 4096}})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- r.Run(ctx) }()
	for r.ServerMetrics().MemUtilization < 0 {
		time.Sleep(10 * time.Millisecond)
	}
	if m := r.ServerMetrics(); m.MemUtilization != 1 {
		t.Errorf("got %v", m.MemUtilization)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
