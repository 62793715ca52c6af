package main

import (
	"context"
	"os"
)

// chaos is what a key does instead of being kept, so that one can watch a host cope. It is nil unless KV_CHAOS is true.
type chaos map[string]func(context.Context)

func newChaos(j *journal) chaos {
	return chaos{
		"chaos/break": func(ctx context.Context) { _ = j.ruin(ctx) }, // the next check finds it
		"chaos/wedge": func(context.Context) { j.wedge() },
		"chaos/panic": func(context.Context) { panic("asked to") },
		"chaos/exit":  func(context.Context) { os.Exit(3) },
	}
}

// strike reports whether key is one of chaos.
func (c chaos) strike(ctx context.Context, key string) bool {
	act, found := c[key]
	if found {
		act(ctx)
	}
	return found
}
