package main

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/vitals-go/vitals/checker"
	"github.com/vitals-go/vitals/servicer"
)

// outageFacts weighs the log of a dependency's outage, from the first failure to the recovery, as JSON.
func outageFacts(facts map[string]float64) {
	var log lines
	var down atomic.Bool
	logger := slog.New(slog.NewJSONHandler(&log, nil))
	checks := healthyChecks(3)
	for i := range checks {
		checks[i].Interval = 50 * time.Millisecond
	}
	checks[0].Run = func(context.Context) error {
		if down.Load() {
			return errors.New("dial tcp 10.0.0.7:5432: connect: connection refused")
		}
		return nil
	}
	c, err := checker.New(checker.Config{Checks: checks, Logger: logger})
	if err != nil {
		panic(err)
	}
	health, err := servicer.New(servicer.Config{Checker: c, Services: []string{"shop.v1.Orders"}, Logger: logger})
	if err != nil {
		panic(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { _ = c.Run(ctx) })
	running.Go(func() { _ = health.Run(ctx) })
	defer running.Wait()
	defer cancel()
	await(ctx, health, checker.Healthy)
	facts["start_log_lines"], facts["start_log_bytes"] = log.take()
	down.Store(true)
	await(ctx, health, checker.Critical)
	facts["outage_log_lines"], facts["outage_log_bytes"] = log.take()
	down.Store(false)
	await(ctx, health, checker.Healthy)
	facts["recovery_log_lines"], facts["recovery_log_bytes"] = log.take()
}

// await waits for an overall status, and for the log, which is written by others.
func await(ctx context.Context, health *servicer.Server, status checker.Status) {
	for report := range health.Changes(ctx) {
		if report.Phase == servicer.Ready && report.Overall == status {
			break
		}
	}
	time.Sleep(300 * time.Millisecond)
}

// lines counts what is logged.
type lines struct {
	mu    sync.Mutex
	count int
	bytes int
}

func (l *lines) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.count += bytes.Count(b, []byte("\n"))
	l.bytes += len(b)
	return len(b), nil
}

// take returns the counts and resets them.
func (l *lines) take() (count, bytes float64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	count, bytes = float64(l.count), float64(l.bytes)
	l.count, l.bytes = 0, 0
	return count, bytes
}
