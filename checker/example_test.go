package checker_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/vitals-go/vitals/checker"
)

func ExampleNew() {
	checks, err := checker.New(checker.Config{
		Checks: []checker.Check{
			{Name: "database", Run: func(context.Context) error { return nil }},
			{Name: "search", Optional: true, Run: func(context.Context) error { return errors.New("refused") }},
		},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- checks.Run(ctx) }()

	snapshot, err := checks.Refresh(ctx)
	if err != nil {
		fmt.Println(err)
	}
	for _, r := range snapshot.Results {
		fmt.Println(r.Status, r.Reason, r.Message)
	}
	stop()
	fmt.Println(<-done)
	// Output:
	// healthy ok Dependency database is available
	// warning error Dependency search is unavailable
	// <nil>
}

func ExampleNew_mistakes() {
	_, err := checker.New(checker.Config{
		Checks: []checker.Check{{Name: "database", Interval: 30, Jitter: 2}},
	})
	fmt.Println(err)
	// Output:
	// checker: check "database": Run: want exactly one of Run, Measure and TTL
	// checker: check "database": Interval: got 30ns, want at least 1ms (a plain number is nanoseconds)
	// checker: check "database": Jitter: got 2, want at most 1
}

func ExampleChecker_Changes() {
	checks, err := checker.New(checker.Config{
		Checks: []checker.Check{{Name: "database", Run: func(context.Context) error { return nil }}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- checks.Run(ctx) }()

	for snapshot := range checks.Changes(ctx) {
		if database, _ := snapshot.Lookup("database"); database.Status.Serves() {
			fmt.Println(database.Message)
			break
		}
	}
	stop()
	<-done
	// Output: Dependency database is available
}

func ExampleNewHeartbeat() {
	heartbeat := checker.NewHeartbeat(10 * time.Second)
	check := checker.Check{Name: "consumer", Kind: checker.Process, Run: heartbeat.Run}

	for range 3 { // the loop to be watched
		heartbeat.Beat()
	}
	fmt.Println(check.Name, check.Run(context.Background()))
	// Output: consumer <nil>
}

// A hook of Config.Wrap asks what became of a run.
func ExampleReasonFor() {
	wrap := func(ctx context.Context, name string) (context.Context, func(error)) {
		return ctx, func(err error) { fmt.Println(name, checker.ReasonFor(ctx, err)) }
	}
	for _, err := range []error{nil, errors.New("connection refused"), checker.ErrInconclusive} {
		_, ended := wrap(context.Background(), "database")
		ended(err)
	}
	// Output:
	// database ok
	// database error
	// database stale
}

// A database moves. The name, the last result and its counts stay until the new check has run.
func ExampleChecker_Replace() {
	ping := func(context.Context) error { return nil }
	c, err := checker.New(checker.Config{Checks: []checker.Check{{Name: "database", Title: "Old database", Run: ping}}})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(c.Replace(checker.Check{Name: "database", Title: "New database", Run: ping}))
	result, _ := c.Snapshot().Lookup("database")
	fmt.Println(result.Title)
	// Output:
	// <nil>
	// New database
}

// A queue is a warning above 800 entries and critical above 1000.
func ExampleAbove() {
	check := checker.Check{
		Name:     "queue",
		Measure:  func(context.Context) (checker.Measurement, error) { return checker.Measurement{Value: 900}, nil },
		Warning:  checker.Above(800),
		Critical: checker.Above(1000),
	}
	fmt.Println(check.Warning, "·", check.Critical)
	// Output: above 800 · above 1000
}

// The limit of a pool that needs an idle connection.
func ExampleBelow() {
	limit := checker.Below(1)
	fmt.Println(limit, limit.IsUpper())
	// Output: below 1 false
}

func ExampleDurationBounds() {
	bounds := checker.DurationBounds()
	fmt.Printf("%d bounds from %v s to %v s\n", len(bounds), bounds[0], bounds[len(bounds)-1])
	// Output: 13 bounds from 0.001 s to 30 s
}

func ExampleDegraded() {
	checks, err := checker.New(checker.Config{Checks: []checker.Check{
		{Name: "index", Run: func(context.Context) error {
			return checker.Degraded("older than an hour", errors.New("last build: no space left"))
		}},
		{Name: "schema", Run: func(context.Context) error {
			return checker.Failed("3 migrations are pending", nil)
		}},
	}})
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- checks.Run(ctx) }()
	snapshot, err := checks.Refresh(ctx)
	if err != nil {
		fmt.Println(err)
	}
	for _, r := range snapshot.Results {
		fmt.Printf("%v %v: %s\n", r.Status, r.Reason, r.Message)
	}
	stop()
	<-done
	// Output:
	// warning degraded: Dependency index is degraded: older than an hour
	// critical error: Dependency schema is unavailable: 3 migrations are pending
}

func ExampleFailed() {
	err := checker.Failed("3 migrations are pending", errors.New("last applied: 0041_orders.sql")) // public, private
	fmt.Println(err)
	// Output: 3 migrations are pending: last applied: 0041_orders.sql
}

func ExampleBool() {
	connected := func() bool { return false } // such as a method of a client
	check := checker.Check{Name: "broker", Run: checker.Bool(connected)}
	fmt.Println(check.Run(context.Background()))
	// Output: the check returned false
}

func ExampleChecker_Push() {
	checks, err := checker.New(checker.Config{Checks: []checker.Check{{Name: "import", TTL: time.Hour}}})
	if err != nil {
		fmt.Println(err)
		return
	}
	err = checks.Push("import", checker.Outcome{
		Text:   "no row was lost",
		Values: []checker.Value{{Name: "rows", Number: 1200}},
	})
	result, _ := checks.Snapshot().Lookup("import")
	fmt.Println(err, result.Status, result.Message, result.Values)
	// Output: <nil> healthy Dependency import is available: no row was lost [{rows 1200 1}]
}

func ExampleSetValue() {
	replica := func(ctx context.Context) error {
		checker.SetValue(ctx, "replication_lag", 1.5, "s")
		return nil
	}
	checks, err := checker.New(checker.Config{Checks: []checker.Check{{Name: "replica", Run: replica}}})
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- checks.Run(ctx) }()
	snapshot, err := checks.Refresh(ctx)
	fmt.Println(err, snapshot.Results[0].Values)
	stop()
	<-done
	// Output: <nil> [{replication_lag 1.5 s}]
}
