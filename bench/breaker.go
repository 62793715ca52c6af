package main

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/eapache/go-resiliency/breaker"
	"github.com/failsafe-go/failsafe-go"
	"github.com/failsafe-go/failsafe-go/circuitbreaker"
	"github.com/go-kratos/aegis/circuitbreaker/sre"
	gobreakerv1 "github.com/sony/gobreaker"
	"github.com/sony/gobreaker/v2"
	zero "github.com/zeromicro/go-zero/core/breaker"

	vitals "github.com/vitals-go/vitals/breaker"
)

func measureBreaker(p plan) []goal {
	subjects := []subject{
		ourBreaker(false), rollingGobreaker(false), eapacheBreaker(), failsafeBreaker(), gobreakerV1(), zeroBreaker(), aegisBreaker(),
	}
	one := interleave(p, 1, 1, subjects...)
	many := interleave(p, 2, 128, subjects...)
	rejecting := interleave(p, 1, 1, ourBreaker(true), rollingGobreaker(true))
	closed := ourBreaker(false)
	allocs := testing.AllocsPerRun(1000, func() { closed.run(1) })
	refused := ourBreaker(true)
	rejectAllocs := testing.AllocsPerRun(1000, func() { refused.run(1) })

	goals := []goal{
		{id: "P8", what: "allocations of a closed breaker", measured: allocs, limit: 0, figures: fmt.Sprint(allocs)},
		{id: "P8", what: "allocations of a rejection", measured: rejectAllocs, limit: 0, figures: fmt.Sprint(rejectAllocs)},
		{id: "P8", what: "rejection cheaper than gobreaker v2's", measured: rejecting[1].median() / rejecting[0].median(), limit: 2, atLeast: true, figures: ns(rejecting[1].median()) + " / " + ns(rejecting[0].median())},
	}
	for i, s := range subjects[1:] {
		single, crowded := 0.0, 0.0 // no promise, but the row stays in
		if i == 0 {
			single, crowded = 3, 10
		}
		ours, theirs := one[0].median(), one[i+1].median()
		goals = append(goals, goal{id: "P8", what: "closed, cheaper than " + s.name, measured: theirs / ours, limit: single, atLeast: true, figures: ns(theirs) + " / " + ns(ours)})
		// Medians: without its second core a machine is kind to those who share a lock.
		ours, theirs = many[0].median(), many[i+1].median()
		goals = append(goals, goal{id: "P8", what: "closed, 2 cores × 64 goroutines, cheaper than " + s.name, measured: theirs / ours, limit: crowded, atLeast: true, figures: ns(theirs) + " / " + ns(ours)})
	}
	return goals
}

var errDown = errors.New("down")

func ourBreaker(open bool) subject {
	b, err := vitals.New(vitals.Config{Name: "bench"})
	if err != nil {
		panic(err)
	}
	if open {
		b.ForceOpen("bench")
	}
	call := func(context.Context) (int, error) { return 1, nil }
	return subject{"vitals", func(n int) {
		ctx := context.Background()
		for range n {
			_, _ = vitals.Do(ctx, b, call)
		}
	}}
}

func rollingGobreaker(open bool) subject {
	b := gobreaker.NewCircuitBreaker[int](gobreaker.Settings{Interval: 30 * time.Second, BucketPeriod: 3 * time.Second, Timeout: time.Hour})
	for range 10 {
		if open {
			_, _ = b.Execute(func() (int, error) { return 0, errDown })
		}
	}
	call := func() (int, error) { return 1, nil }
	return subject{"gobreaker v2, rolling window", func(n int) {
		for range n {
			_, _ = b.Execute(call)
		}
	}}
}

func gobreakerV1() subject {
	b := gobreakerv1.NewCircuitBreaker(gobreakerv1.Settings{Interval: 30 * time.Second})
	call := func() (any, error) { return nil, nil }
	return subject{"gobreaker v1", func(n int) {
		for range n {
			_, _ = b.Execute(call)
		}
	}}
}

func eapacheBreaker() subject {
	b := breaker.New(5, 1, 5*time.Second)
	call := func() error { return nil }
	return subject{"eapache (consecutive errors only)", func(n int) {
		for range n {
			_ = b.Run(call)
		}
	}}
}

func failsafeBreaker() subject {
	executor := failsafe.With(circuitbreaker.NewBuilder[int]().WithFailureRateThreshold(0.5, 20, 30*time.Second).Build())
	call := func() (int, error) { return 1, nil }
	return subject{"failsafe-go", func(n int) {
		for range n {
			_, _ = executor.Get(call)
		}
	}}
}

func zeroBreaker() subject {
	b := zero.NewBreaker()
	call := func() error { return nil }
	return subject{"go-zero", func(n int) {
		for range n {
			_ = b.Do(call)
		}
	}}
}

func aegisBreaker() subject {
	b := sre.NewBreaker()
	return subject{"kratos aegis", func(n int) {
		for range n {
			if b.Allow() == nil {
				b.MarkSuccess()
			}
		}
	}}
}
