package orcavitals

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	orcapb "github.com/cncf/xds/go/xds/data/orca/v3"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/orca"
	"google.golang.org/protobuf/proto"

	"github.com/vitals-go/vitals/internal/asynclog"
	"github.com/vitals-go/vitals/internal/opencalls"
)

// Reporter samples and reports the load of the server. Pass its ServerOptions to grpc.NewServer, call Register, and Run
// it. It implements orca.ServerMetricsProvider.
type Reporter struct {
	cfg     Config
	log     *asynclog.Logger
	machine machine
	running atomic.Bool
	// current is the newest report or nil. Run writes it, calls and streams read it.
	current atomic.Pointer[report]
	failing map[string]bool // samplers; used by Run only
	streams *opencalls.Set
	end     sync.Once
	ended   chan struct{} // closed by EndStreams
}

// New returns a Reporter, or an error that joins all mistakes in cfg. It starts nothing.
func New(cfg Config) (*Reporter, error) { return newReporter(cfg, thisMachine{cfg.Resources}) }

func newReporter(cfg Config, m machine) (*Reporter, error) {
	cfg = cfg.withDefaults()
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	streams := opencalls.New(opencalls.Config{Plural: "load report streams", Max: max(cfg.MaxStreams, 0), MaxPerConn: -1})
	log := asynclog.New(cmp.Or(cfg.Logger, slog.Default()))
	return &Reporter{cfg: cfg, log: log, machine: m, failing: make(map[string]bool), streams: streams, ended: make(chan struct{})}, nil
}

// maxAge is the age of a report in intervals at which it is withdrawn: a server that hangs must not attract load.
const maxAge = 3

// Run samples until ctx is done, then withdraws the report, ends the streams as EndStreams does, and returns nil. A second
// call returns an error.
func (r *Reporter) Run(ctx context.Context) error {
	if r.running.Swap(true) {
		return errors.New("orcavitals: Run was called twice")
	}
	defer r.log.Flush(asynclog.Grace)
	defer r.EndStreams()
	defer r.current.Store(nil)
	expiry := time.AfterFunc(maxAge*r.cfg.Interval, r.expire)
	defer expiry.Stop()
	tick := time.NewTicker(r.cfg.Interval)
	defer tick.Stop()
	w := window{span: r.cfg.Window}
	for {
		w.add(r.sample(ctx))
		if report := r.report(&w); report != nil && ctx.Err() == nil {
			r.current.Store(report)
		}
		expiry.Reset(maxAge * r.cfg.Interval)
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil
		}
	}
}

func (r *Reporter) expire() {
	if r.current.Swap(nil) != nil {
		r.log.Log(slog.LevelWarn, "load report withdrawn: sampling hangs")
	}
}

// ServerMetrics returns a copy of the newest report; unknown values are -1, as are all without a report. It implements
// orca.ServerMetricsProvider.
func (r *Reporter) ServerMetrics() *orca.ServerMetrics {
	m := r.current.Load()
	if m == nil {
		m = unknown()
	}
	return &orca.ServerMetrics{
		CPUUtilization: m.cpu, MemUtilization: m.memory, AppUtilization: m.application, QPS: m.qps, EPS: m.eps,
		Utilization: map[string]float64{}, RequestCost: map[string]float64{}, NamedMetrics: map[string]float64{},
	}
}

// unset is an unknown value, as in orca.ServerMetrics.
const unset = -1

// report is one immutable report.
type report struct {
	cpu, memory, application, qps, eps float64
	// message is sent on streams, trailer at the end of calls.
	message *orcapb.OrcaLoadReport
	trailer metadata.MD
}

func unknown() *report {
	return &report{cpu: unset, memory: unset, application: unset, qps: unset, eps: unset}
}

// report returns the report of a window, nil before the second sample.
func (r *Reporter) report(w *window) *report {
	if len(w.samples) < 2 {
		return nil
	}
	m := unknown()
	m.cpu, m.memory = w.cpu(), w.newest().memory
	if r.cfg.Recorder != nil {
		m.qps, m.eps = w.rates()
	}
	switch {
	case r.cfg.Utilization != nil:
		m.application = w.application()
	case r.cfg.MaxInFlight > 0:
		m.application = max(w.inFlight()/float64(r.cfg.MaxInFlight), m.cpu)
	}
	m.message = &orcapb.OrcaLoadReport{
		CpuUtilization: max(m.cpu, 0), MemUtilization: max(m.memory, 0), ApplicationUtilization: max(m.application, 0),
		RpsFractional: max(m.qps, 0), Eps: max(m.eps, 0),
	}
	text, err := proto.Marshal(m.message)
	if err != nil {
		return nil // cannot happen: all values are numbers
	}
	m.trailer = metadata.Pairs("endpoint-load-metrics-bin", string(text))
	return m
}
