package supervisor

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/vitals-go/vitals/checker"
	"github.com/vitals-go/vitals/servicer/healthclient"
	"github.com/vitals-go/vitals/servicer/vitalspb"
)

var errHangs = errors.New("the plugin hangs")

// attend watches p until it must end, or ctx does, and returns why.
func (s *Supervisor) attend(ctx context.Context, p *Plugin) error {
	ctx, over := context.WithCancelCause(ctx)
	defer over(nil)
	var watching sync.WaitGroup
	defer watching.Wait()
	watching.Go(func() { over(s.alive(ctx, p)) })
	watching.Go(func() { over(s.answers(ctx, p)) })
	watching.Go(func() { s.report(ctx, p) })
	<-ctx.Done()
	return context.Cause(ctx)
}

// alive returns when the plugin reports that liveness is not serving, or has exited.
func (s *Supervisor) alive(ctx context.Context, p *Plugin) error {
	for state := range healthclient.Watch(ctx, p.Conn, checker.Liveness) {
		switch {
		case state.Err != nil:
			return fmt.Errorf("the plugin has gone: %w", state.Err)
		case !state.Serving():
			return fmt.Errorf("the plugin is not alive: %v", state)
		}
	}
	return ctx.Err()
}

// answers returns when the plugin has not responded for too long.
func (s *Supervisor) answers(ctx context.Context, p *Plugin) error {
	for failures := 0; failures < s.cfg.PingFailures; {
		if !sleep(ctx, s.cfg.PingInterval) {
			return ctx.Err()
		}
		asking, cancel := context.WithTimeout(ctx, s.cfg.PingTimeout)
		err := p.Ping(asking)
		cancel()
		if failures++; err == nil {
			failures = 0
		}
	}
	return errHangs
}

// report logs what changes in the plugin's report.
func (s *Supervisor) report(ctx context.Context, p *Plugin) {
	stream, err := vitalspb.NewHealthReportServiceClient(p.Conn).WatchHealthReport(ctx, &vitalspb.WatchHealthReportRequest{})
	if err != nil {
		return // A plugin need not have a report.
	}
	known := make(map[string]string)
	for {
		report, err := stream.Recv()
		if err != nil {
			return
		}
		for name, metric := range report.GetMetrics() {
			if cmp.Or(known[name], checker.Healthy.String()) == metric.GetStatus() {
				continue
			}
			level := slog.LevelInfo
			if metric.GetStatus() != checker.Healthy.String() {
				level = slog.LevelWarn
			}
			known[name] = metric.GetStatus()
			s.log.LogAttrs(ctx, level, "plugin metric changed", slog.String("metric", name),
				slog.String("status", metric.GetStatus()), slog.String("message", metric.GetMessage()))
		}
	}
}

// Report requests the plugin's report, with the timeout within.
func (p *Plugin) Report(ctx context.Context, within time.Duration) (*vitalspb.HealthReportResponse, error) {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	return vitalspb.NewHealthReportServiceClient(p.Conn).GetHealthReport(ctx, &vitalspb.HealthReportRequest{})
}
