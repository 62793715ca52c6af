package main

import (
	"context"
	"errors"
	"time"

	"github.com/eapache/go-resiliency/breaker"
	"github.com/failsafe-go/failsafe-go"
	"github.com/failsafe-go/failsafe-go/circuitbreaker"
	"github.com/go-kratos/aegis/circuitbreaker/sre"
	gobreakerv1 "github.com/sony/gobreaker"
	"github.com/sony/gobreaker/v2"
	zero "github.com/zeromicro/go-zero/core/breaker"

	"github.com/vitals-go/vitals/bench/internal/measure"
	vitals "github.com/vitals-go/vitals/breaker"
)

// otherBreakers are closed breakers of other libraries. The first one is the one that goals are about.
func otherBreakers() (names []string, subjects []measure.Subject) {
	names = []string{
		"gobreaker v2, rolling window", "eapache (consecutive errors only)", "failsafe-go's executor",
		"failsafe-go's permits, by count", "failsafe-go's permits, by time window", "gobreaker v1", "go-zero", "kratos aegis",
	}
	subjects = []measure.Subject{
		rollingGobreaker(false), eapacheBreaker(), failsafeBreaker(),
		failsafePermits(circuitbreaker.NewBuilder[int]().WithFailureThresholdRatio(10, 20)), failsafePermits(failsafeByTime()), gobreakerV1(), zeroBreaker(), aegisBreaker(),
	}
	return names, subjects
}

var errDown = errors.New("down")

func ourBreaker(open bool) measure.Subject {
	b, err := vitals.New(vitals.Config{Name: "bench"})
	if err != nil {
		panic(err)
	}
	if open {
		b.ForceOpen("bench")
	}
	call := func(context.Context) (int, error) { return 1, nil }
	return func(n int) {
		ctx := context.Background()
		for range n {
			_, _ = vitals.Do(ctx, b, call)
		}
	}
}

func rollingGobreaker(open bool) measure.Subject {
	b := gobreaker.NewCircuitBreaker[int](gobreaker.Settings{Interval: 30 * time.Second, BucketPeriod: 3 * time.Second, Timeout: time.Hour})
	for range 10 {
		if open {
			_, _ = b.Execute(func() (int, error) { return 0, errDown })
		}
	}
	call := func() (int, error) { return 1, nil }
	return func(n int) {
		for range n {
			_, _ = b.Execute(call)
		}
	}
}

func gobreakerV1() measure.Subject {
	b := gobreakerv1.NewCircuitBreaker(gobreakerv1.Settings{Interval: 30 * time.Second})
	call := func() (any, error) { return nil, nil }
	return func(n int) {
		for range n {
			_, _ = b.Execute(call)
		}
	}
}

func eapacheBreaker() measure.Subject {
	b := breaker.New(5, 1, 5*time.Second)
	call := func() error { return nil }
	return func(n int) {
		for range n {
			_ = b.Run(call)
		}
	}
}

func failsafeBreaker() measure.Subject {
	executor := failsafe.With(failsafeByTime().Build())
	call := func() (int, error) { return 1, nil }
	return func(n int) {
		for range n {
			_, _ = executor.Get(call)
		}
	}
}

// failsafeByTime is a breaker of 50 % in a window of 30 s.
func failsafeByTime() circuitbreaker.Builder[int] {
	return circuitbreaker.NewBuilder[int]().WithFailureRateThreshold(0.5, 20, 30*time.Second)
}

// failsafePermits is the breaker alone, without the executor.
func failsafePermits(builder circuitbreaker.Builder[int]) measure.Subject {
	b := builder.Build()
	return func(n int) {
		for range n {
			if b.TryAcquirePermit() {
				b.RecordSuccess()
			}
		}
	}
}

func zeroBreaker() measure.Subject {
	b := zero.NewBreaker()
	call := func() error { return nil }
	return func(n int) {
		for range n {
			_ = b.Do(call)
		}
	}
}

func aegisBreaker() measure.Subject {
	b := sre.NewBreaker()
	return func(n int) {
		for range n {
			if b.Allow() == nil {
				b.MarkSuccess()
			}
		}
	}
}
