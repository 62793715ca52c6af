package checker

import (
	"context"
	"log/slog"
)

// Config says what a Checker asks and how. The zero value has no checks.
type Config struct {
	// Checks to begin with; Add and Remove change the set later.
	Checks []Check

	// Parallel bounds the runs in flight. Default 16. Abandoned runs do not count.
	Parallel int

	// Logger hears of every transition once, of a lasting failure every 5 minutes, and of the raw cause of each:
	// the group vitals, the attribute logger=plugin.health. It runs in a goroutine of its own, so a slow handler
	// delays no check; what does not fit into its queue, or makes the handler panic, is dropped and counted.
	// Default: discard.
	Logger *slog.Logger

	// Wrap wraps each run, in the run's goroutine and within its Timeout: a tracer's place. The returned context
	// goes to the check, the returned function is called exactly once with the run's error (nil: passed) when the
	// run has ended, even by panic, and even long after it was abandoned. Either may be nil. It decides nothing:
	// state is read from editions.
	Wrap func(ctx context.Context, name string) (context.Context, func(error))
}

const defaultParallel = 16
