package breaker_test

import (
	"context"
	"runtime"
	"testing"
	"time"

	"github.com/sony/gobreaker/v2"

	"github.com/vitals-go/vitals/breaker"
)

// Side by side with gobreaker alone, in one binary:
//
//	go test ./breaker -run '^$' -bench 'Closed|Rejected' -cpu 1,2 -count 6
//
// The Crowded variants run 64 goroutines per core.

func answer(context.Context) (int, error) { return 1, nil }

func BenchmarkClosed(b *testing.B) {
	ours := newBreaker(b, breaker.Config{})
	b.Run("vitals", func(b *testing.B) { run(b, 1, func() { _, _ = breaker.Do(context.Background(), ours, answer) }) })
	theirs := rolling()
	b.Run("gobreaker", func(b *testing.B) {
		run(b, 1, func() { _, _ = theirs.Execute(func() (int, error) { return answer(context.Background()) }) })
	})
}

func BenchmarkClosedCrowded(b *testing.B) {
	ours := newBreaker(b, breaker.Config{})
	b.Run("vitals", func(b *testing.B) { run(b, 64, func() { _, _ = breaker.Do(context.Background(), ours, answer) }) })
	theirs := rolling()
	b.Run("gobreaker", func(b *testing.B) {
		run(b, 64, func() { _, _ = theirs.Execute(func() (int, error) { return answer(context.Background()) }) })
	})
}

func BenchmarkRejected(b *testing.B) {
	ours := newBreaker(b, breaker.Config{})
	ours.TripFor(time.Minute)
	b.Run("vitals", func(b *testing.B) { run(b, 1, func() { _, _ = breaker.Do(context.Background(), ours, answer) }) })
	theirs := rolling()
	for range 10 {
		_, _ = theirs.Execute(func() (int, error) { return 0, errDown })
	}
	b.Run("gobreaker", func(b *testing.B) {
		run(b, 1, func() { _, _ = theirs.Execute(func() (int, error) { return answer(context.Background()) }) })
	})
}

func BenchmarkClosedWithSlowCallRule(b *testing.B) {
	ours := newBreaker(b, breaker.Config{SlowCall: time.Second})
	run(b, 1, func() { _, _ = breaker.Do(context.Background(), ours, answer) })
}

func BenchmarkFailure(b *testing.B) {
	ours := newBreaker(b, breaker.Config{ConsecutiveFailures: -1, FailureRate: -1})
	run(b, 1, func() {
		_, _ = breaker.Do(context.Background(), ours, func(context.Context) (int, error) { return 0, errDown })
	})
}

func BenchmarkSnapshot(b *testing.B) {
	ours := newBreaker(b, breaker.Config{})
	for b.Loop() {
		_ = ours.Snapshot()
	}
}

func BenchmarkGroupGet(b *testing.B) {
	g, err := breaker.NewGroup(breaker.GroupConfig{Breaker: breaker.Config{Name: "hosts"}})
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		_ = g.Get("a.example")
	}
}

func run(b *testing.B, goroutinesPerCore int, call func()) {
	b.Helper()
	b.ReportAllocs()
	if runtime.GOMAXPROCS(0) == 1 && goroutinesPerCore == 1 {
		for b.Loop() {
			call()
		}
		return
	}
	b.SetParallelism(goroutinesPerCore)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			call()
		}
	})
}

func rolling() *gobreaker.CircuitBreaker[int] {
	return gobreaker.NewCircuitBreaker[int](gobreaker.Settings{
		Interval:     30 * time.Second,
		BucketPeriod: 3 * time.Second,
	})
}
