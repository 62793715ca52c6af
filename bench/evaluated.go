package main

import (
	"context"
	"fmt"
	"sync"

	"github.com/vitals-go/vitals/checker"
	"github.com/vitals-go/vitals/servicer"
)

// evaluated returns a server that has evaluated n checks, all healthy. stop ends what it runs.
func evaluated(n int, config servicer.Config) (health *servicer.Server, stop func()) {
	c, err := checker.New(checker.Config{Checks: healthyChecks(n)})
	if err != nil {
		panic(err)
	}
	config.Checker = c
	if health, err = servicer.New(config); err != nil {
		panic(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { _ = c.Run(ctx) })
	running.Go(func() { _ = health.Run(ctx) })
	for report := range health.Changes(ctx) {
		if report.Phase == servicer.Ready && report.Overall == checker.Healthy {
			break
		}
	}
	return health, func() { cancel(); running.Wait() }
}

func healthyChecks(n int) []checker.Check {
	list := make([]checker.Check, n)
	for i := range list {
		list[i] = checker.Check{Name: fmt.Sprintf("check%d", i), Run: func(context.Context) error { return nil }}
	}
	return list
}
