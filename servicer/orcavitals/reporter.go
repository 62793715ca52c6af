package orcavitals

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc/orca"
)

// Reporter reports how busy the server is. Create it with New, give its ServerOptions to grpc.NewServer, call Register,
// and Run it. It is also an orca.ServerMetricsProvider.
type Reporter struct {
	cfg     Config
	machine machine
	running atomic.Bool
	// current is the newest report, nil while there is none. Run writes it, calls and streams read it.
	current atomic.Pointer[report]
	// troubles is what could not be sampled the last time. Run's goroutine alone uses it.
	troubles map[string]bool
	streams  atomic.Int64
	end      sync.Once
	ended    chan struct{} // closed by EndStreams
}

// New returns a Reporter, or an error that joins all mistakes in cfg, each naming its field. It starts nothing.
func New(cfg Config) (*Reporter, error) { return newReporter(cfg, thisMachine{}) }

func newReporter(cfg Config, m machine) (*Reporter, error) {
	cfg = cfg.withDefaults()
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	return &Reporter{cfg: cfg, machine: m, troubles: make(map[string]bool), ended: make(chan struct{})}, nil
}

var errRunning = errors.New("orcavitals: Run has been called already")

// staleAfter is how many intervals a report lives without being replaced: old news would draw load to a frozen server.
const staleAfter = 3

// Run samples and reports until ctx ends; then there are no reports any more, and it ends the streams as EndStreams
// does. It returns nil. Call it once.
func (r *Reporter) Run(ctx context.Context) error {
	if r.running.Swap(true) {
		return errRunning
	}
	defer r.EndStreams()
	defer r.current.Store(nil)
	stale := time.AfterFunc(staleAfter*r.cfg.Interval, r.forget)
	defer stale.Stop()
	tick := time.NewTicker(r.cfg.Interval)
	defer tick.Stop()
	seen := window{span: r.cfg.Window}
	for {
		seen.add(r.sample(ctx))
		if made := r.report(&seen); made != nil && ctx.Err() == nil {
			r.current.Store(made)
		}
		stale.Reset(staleAfter * r.cfg.Interval)
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil
		}
	}
}

// forget takes back a report that has become old because sampling hangs.
func (r *Reporter) forget() {
	if r.current.Swap(nil) != nil {
		r.cfg.Logger.LogAttrs(context.Background(), slog.LevelWarn, "load is no longer reported, sampling hangs")
	}
}

// ServerMetrics returns the newest report; what is not known is -1, as everything is while there is no report. It
// implements orca.ServerMetricsProvider, for those who give it to grpc-go's orca package themselves. The caller owns
// the result.
func (r *Reporter) ServerMetrics() *orca.ServerMetrics {
	if current := r.current.Load(); current != nil {
		return current.metrics()
	}
	return unknown().metrics()
}
