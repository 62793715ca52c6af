package checker_test

import (
	"context"
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/vitals-go/vitals/checker"
)

func fleet(n int) []checker.Check {
	checks := make([]checker.Check, n)
	for i := range checks {
		checks[i] = checker.Check{Name: fmt.Sprintf("check-%05d", i), Run: pass, Interval: time.Hour}
	}
	return checks
}

// begin runs a fleet outside of a bubble.
func begin(b *testing.B, n int) *checker.Checker {
	c, err := checker.New(checker.Config{Checks: fleet(n)})
	if err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- c.Run(ctx) }()
	b.Cleanup(func() {
		cancel()
		<-done
	})
	if _, err := c.Refresh(ctx); err != nil {
		b.Fatal(err)
	}
	return c
}

func BenchmarkSnapshot(b *testing.B) {
	c := begin(b, 10)
	b.ReportAllocs()
	for b.Loop() {
		if c.Snapshot() == nil {
			b.Fatal("no edition")
		}
	}
}

// BenchmarkRefresh is one run of one check from demand to published edition, in fleets of several sizes.
func BenchmarkRefresh(b *testing.B) {
	for _, n := range []int{1, 10, 100, 256} {
		b.Run(fmt.Sprintf("checks=%d", n), func(b *testing.B) {
			c := begin(b, n)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := c.Refresh(context.Background(), "check-00000"); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkRefreshFleet is one run of all of 5,000 checks.
func BenchmarkRefreshFleet(b *testing.B) {
	c := begin(b, 5000)
	b.ReportAllocs()
	before := c.Snapshot().Revision
	for b.Loop() {
		if _, err := c.Refresh(context.Background()); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(c.Snapshot().Revision-before)/float64(b.N), "snapshots/op")
}

// BenchmarkIdleFleet reports what 5,000 checks at rest occupy.
func BenchmarkIdleFleet(b *testing.B) {
	const n = 5000
	for b.Loop() {
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		goroutines := runtime.NumGoroutine()
		c := begin(b, n)
		runtime.GC()
		runtime.ReadMemStats(&after)
		b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/n, "B/check")
		b.ReportMetric(float64(runtime.NumGoroutine()-goroutines), "goroutines")
		runtime.KeepAlive(c)
	}
}
