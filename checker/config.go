package checker

import (
	"context"
	"log/slog"
)

// Config configures a Checker. The zero value has no checks.
type Config struct {
	// Checks are the initial checks; Add and Remove change the set.
	Checks []Check

	// Parallel bounds the runs in flight, abandoned ones aside. Default 16.
	Parallel int

	// Logger receives one record per transition and a reminder every 5 minutes while a check fails, with the raw error,
	// in the group vitals with the attribute logger=plugin.health. A slow handler delays no check; records that exceed a
	// queue of 1,024, or make the handler panic, are dropped and counted. Default: discard.
	Logger *slog.Logger

	// Wrap wraps each run, in the run's goroutine and within its Timeout, such as for a span. The returned context is
	// passed to the check. The returned function is called once with the run's error (nil if it passed) when the run has
	// ended, also by panic and long after it was abandoned. Either may be nil. Both do not affect the result.
	Wrap func(ctx context.Context, name string) (context.Context, func(error))
}

const defaultParallel = 16
