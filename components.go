package vitals

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/vitals-go/vitals/breaker"
	"github.com/vitals-go/vitals/checker"
	"github.com/vitals-go/vitals/probes"
	"github.com/vitals-go/vitals/servicer"
)

// componentGrace is how long components may take to stop. The HTTP server takes longest: it cuts responses off after 5 s.
const componentGrace = 6 * time.Second

// component is something that runs beside the servers, until its context is done.
type component struct {
	name string
	run  func(context.Context) error
}

// components returns everything that runs beside the servers. The HTTP component owns the listener.
func (h *Health) components(l listeners) ([]component, error) {
	list := []component{{"checker", h.checker.Run}, {"report follower", h.followReports}}
	if l.http != nil {
		server, err := probes.NewServer(probes.ServerConfig{Handler: h.http, Listener: l.http, TLS: h.tls.http, Logger: h.cfg.Logger})
		if err != nil {
			return nil, err
		}
		list = append(list, component{"HTTP server", server.Run}, component{"status page", h.http.Run})
	}
	if h.file != nil {
		list = append(list, component{"health file", h.file.Run})
	}
	if h.cfg.TerminationLog != "" {
		list = append(list, component{"termination log", h.followLiveness})
	}
	if h.otel != nil {
		list = append(list, component{"OpenTelemetry exporter", h.otel.Run})
	}
	if h.load != nil {
		list = append(list, component{"load reporter", h.load.Run})
	}
	return list, nil
}

// result is how a component ended.
type result struct {
	name string
	err  error
}

// runAll runs components for as long as serve does, which includes the drain. A component that fails ends serve; one
// that does not stop is abandoned.
func runAll(ctx context.Context, components []component, serve func(context.Context) error) error {
	serving, stopServing := context.WithCancel(ctx)
	defer stopServing()
	running, stop := context.WithCancel(context.WithoutCancel(ctx)) // outlives ctx: endpoints show the drain
	defer stop()
	results := make(chan result, len(components))
	missing := make(map[string]struct{}, len(components))
	for _, c := range components {
		missing[c.name] = struct{}{}
		go func() {
			err := c.run(running)
			if err != nil {
				stopServing()
			}
			results <- result{c.name, err}
		}()
	}
	err := serve(serving)
	stop()
	return errors.Join(collect(missing, results), err)
}

// collect waits for the results of missing, at most for componentGrace.
func collect(missing map[string]struct{}, results <-chan result) error {
	var errs []error
	timeout := time.NewTimer(componentGrace)
	defer timeout.Stop()
	for len(missing) > 0 {
		select {
		case r := <-results:
			delete(missing, r.name)
			errs = append(errs, r.err)
		case <-timeout.C:
			for _, name := range slices.Sorted(maps.Keys(missing)) {
				errs = append(errs, fmt.Errorf("vitals: %s did not stop within %v: blocked in user code", name, componentGrace))
			}
			clear(missing)
		}
	}
	return errors.Join(errs...)
}

// followReports acts on reports until ctx is done. When traffic has opened a breaker, it runs the check of the same
// name, which would otherwise stay healthy until its next run. When the drain begins, it ends the streams of load
// reports, since GracefulStop waits for them.
func (h *Health) followReports(ctx context.Context) error {
	var refreshes sync.WaitGroup
	defer refreshes.Wait()
	opened := map[string]uint64{}
	for report := range h.server.Changes(ctx) {
		for i := range report.Breakers {
			b := &report.Breakers[i]
			count := b.Transitions[breaker.Open]
			if b.State != breaker.Open || count == opened[b.Name] {
				continue
			}
			opened[b.Name] = count
			if last, known := h.checker.Snapshot().Lookup(b.Name); known && last.Status == checker.Healthy {
				// It may take as long as the check's timeout, and fails when the checker stops.
				refreshes.Go(func() { _, _ = h.checker.Refresh(ctx, b.Name) })
			}
		}
		if report.Phase >= servicer.Draining && h.load != nil {
			h.load.EndStreams()
		}
	}
	return nil
}
