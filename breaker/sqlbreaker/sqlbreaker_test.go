package sqlbreaker_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"reflect"
	"slices"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/vitals-go/vitals/breaker"
	"github.com/vitals-go/vitals/breaker/sqlbreaker"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

type stateError string

func (e stateError) Error() string { return "database says " + string(e) + " password=hunter2" }

func (e stateError) SQLState() string { return string(e) }

func TestClassifyErrors(t *testing.T) {
	for _, test := range []struct {
		err  error
		want breaker.Outcome
	}{
		{nil, breaker.Success},
		{sql.ErrNoRows, breaker.Success},
		{sql.ErrTxDone, breaker.Success},
		{stateError("23505"), breaker.Success},
		{stateError("42P01"), breaker.Success},
		{stateError("57014"), breaker.Success},
		{stateError("08006"), breaker.Failure},
		{stateError("53300"), breaker.Failure},
		{stateError("57P01"), breaker.Failure},
		{stateError("57P03"), breaker.Failure},
		{stateError("58030"), breaker.Failure},
		{fmt.Errorf("query: %w", stateError("53200")), breaker.Failure},
		{io.EOF, breaker.Failure},
		{io.ErrUnexpectedEOF, breaker.Failure},
		{&net.OpError{Op: "read", Err: syscall.ECONNRESET}, breaker.Failure},
		{syscall.EPIPE, breaker.Failure},
		{os.ErrDeadlineExceeded, breaker.Failure},
		{context.DeadlineExceeded, breaker.Failure},
		{context.Canceled, breaker.Neutral},
		{driver.ErrBadConn, breaker.Neutral},
		{driver.ErrSkip, breaker.Neutral},
		{&breaker.OpenError{}, breaker.Neutral},
		{errors.New("what is this"), breaker.Neutral},
	} {
		if got := sqlbreaker.Classify(test.err); got != test.want {
			t.Errorf("%v is a %v, want %v", test.err, got, test.want)
		}
	}
}

// open opens a protected database on a fake driver.
func open(t *testing.T, c driver.Connector) (*breaker.Breaker, *sql.DB) {
	return openWith(t, c, false)
}

func openWith(t *testing.T, c driver.Connector, includeRows bool) (*breaker.Breaker, *sql.DB) {
	t.Helper()
	b, err := breaker.New(breaker.Config{Name: "database"})
	if err != nil {
		t.Fatal(err)
	}
	connector, err := sqlbreaker.New(sqlbreaker.Config{Breaker: b, Connector: c, IncludeRows: includeRows})
	if err != nil {
		t.Fatal(err)
	}
	db := sql.OpenDB(connector)
	t.Cleanup(func() { db.Close() })
	return b, db
}

func TestRejectionIsNotRetriedAndDoesNotReachTheDriver(t *testing.T) {
	f := &fake{modern: true}
	b, db := open(t, f)
	if err := db.PingContext(t.Context()); err != nil {
		t.Fatal(err)
	}
	b.ForceOpen("test")
	before := len(f.log)
	for name, err := range map[string]error{
		"ping":  db.PingContext(t.Context()),
		"exec":  second(db.ExecContext(t.Context(), "x")),
		"query": second(db.QueryContext(t.Context(), "x")),
		"begin": second(db.BeginTx(t.Context(), nil)),
		"stmt":  second(db.PrepareContext(t.Context(), "x")),
	} {
		if !breaker.IsRejected(err) || errors.Is(err, driver.ErrBadConn) {
			t.Errorf("%s: %v, want a rejection", name, err)
		}
	}
	if calls := b.Snapshot().Calls; calls.Rejected != 5 {
		t.Errorf("%+v, want one rejection each", calls)
	}
	for _, entry := range f.log[before:] {
		if entry != "reset" {
			t.Errorf("the driver has seen %q", entry)
		}
	}
}

func second[T any](_ T, err error) error { return err }

func TestFailedConnectsOpenTheBreakerAndSuccessfulOnesAreNeutral(t *testing.T) {
	f := &fake{modern: true}
	b, db := open(t, f)
	db.SetMaxIdleConns(0) // Each call connects anew.
	f.fail = stateError("57P03")
	for range 4 {
		if err := db.PingContext(t.Context()); err == nil {
			t.Fatal("no error")
		}
	}
	if s := b.Snapshot(); s.Window.Failures != 4 || s.Calls.Neutral != 4 {
		t.Fatalf("%+v, want the connects neutral and the pings failed", s)
	}
	f.failConnect = errors.New("unknown driver error")
	_ = db.PingContext(t.Context())
	if s := b.Snapshot(); s.State != breaker.Open {
		t.Fatalf("%+v, want a failed connect to count", s)
	}
}

func TestStaleConnectionsAreNeutral(t *testing.T) {
	f := &fake{modern: true}
	b, db := open(t, f)
	if _, err := db.ExecContext(t.Context(), "x"); err != nil {
		t.Fatal(err)
	}
	f.stale = 1
	if _, err := db.ExecContext(t.Context(), "x"); err != nil {
		t.Fatalf("%v, want database/sql to use another connection", err)
	}
	if calls := b.Snapshot().Calls; calls.Failures != 0 {
		t.Fatalf("%+v", calls)
	}
}

// A proxy accepts connections also without a database behind it.
func TestBadConnectionThatNeverWorkedIsAFailure(t *testing.T) {
	f := &fake{modern: true, fail: driver.ErrBadConn}
	b, db := open(t, f)
	for range 5 {
		if err := db.PingContext(t.Context()); err == nil {
			t.Fatal("no error")
		}
	}
	if s := b.Snapshot(); s.State != breaker.Open {
		t.Fatalf("%+v, want open", s)
	}
}

// pgx returns ErrBadConn for a ping that exceeded its deadline.
func TestBadConnectionAfterTheDeadlineIsAFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{modern: true}
		b, db := open(t, f)
		defer db.Close()
		if err := db.PingContext(t.Context()); err != nil {
			t.Fatal(err)
		}
		f.stale, f.hangs = 1, true
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := db.PingContext(ctx); err == nil {
			t.Fatal("no error")
		}
		if s := b.Snapshot(); s.Window.Failures != 1 {
			t.Fatalf("%+v, want one failure", s.Calls)
		}
	})
}

// TestDriverSeesTheSameCalls runs the same work on the bare driver and through the breaker: with every optional interface
// and with none, the driver must see the same calls.
func TestDriverSeesTheSameCalls(t *testing.T) {
	for n := range 4 {
		modern, includeRows := n&1 == 0, n&2 == 0
		bare, protected := &fake{modern: modern}, &fake{modern: modern}
		bareDB := sql.OpenDB(bare)
		_, protectedDB := openWith(t, protected, includeRows)
		bareSeen, protectedSeen := work(t, bareDB), work(t, protectedDB)
		if err := bareDB.Close(); err != nil {
			t.Fatal(err)
		}
		if err := protectedDB.Close(); err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(bareSeen, protectedSeen) {
			t.Errorf("modern %v: the user sees\n%q, want\n%q", modern, protectedSeen, bareSeen)
		}
		if !reflect.DeepEqual(bare.log, protected.log) {
			t.Errorf("modern %v: the driver sees\n%q, want\n%q", modern, protected.log, bare.log)
		}
	}
}

// work uses all of database/sql and returns the results.
func work(t *testing.T, db *sql.DB) []string {
	var seen []string
	note := func(what string, err error) { seen = append(seen, fmt.Sprint(what, ": ", err)) }
	ctx := t.Context()
	note("ping", db.PingContext(ctx))
	note("exec", second(db.ExecContext(ctx, "insert", 1, "two")))
	note("exec odd type", second(db.ExecContext(ctx, "insert", odd{})))
	note("exec named", second(db.ExecContext(ctx, "insert", sql.Named("n", 1))))
	rows, err := db.QueryContext(ctx, "select", int8(3))
	note("query", err)
	if err == nil {
		note("rows", rows.Close())
	}
	tx, err := db.BeginTx(ctx, nil)
	note("begin", err)
	note("tx exec", second(tx.ExecContext(ctx, "update")))
	note("commit", tx.Commit())
	if tx, err = db.BeginTx(ctx, &sql.TxOptions{ReadOnly: true}); err == nil {
		note("rollback", tx.Rollback())
	}
	note("read only", err)
	if tx, err = db.BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelSerializable}); err == nil {
		note("rollback", tx.Rollback())
	}
	note("isolation", err)
	stmt, err := db.PrepareContext(ctx, "prepared")
	note("prepare", err)
	note("stmt exec", second(stmt.ExecContext(ctx, 7)))
	note("stmt odd type", second(stmt.ExecContext(ctx, odd{})))
	if rows, err = stmt.QueryContext(ctx, 8); err == nil {
		note("rows", rows.Close())
	}
	note("stmt query", err)
	note("stmt close", stmt.Close())
	return seen
}

// A driver without contexts begins and prepares in spite of the cancellation.
func TestWhatAnOldDriverBeganAfterCancellationIsClosed(t *testing.T) {
	for end, begin := range map[string]func(context.Context, *sql.DB) error{
		"rollback":   func(ctx context.Context, db *sql.DB) error { return second(db.BeginTx(ctx, nil)) },
		"close stmt": func(ctx context.Context, db *sql.DB) error { return second(db.PrepareContext(ctx, "x")) },
	} {
		ctx, cancel := context.WithCancel(t.Context())
		f := &fake{during: cancel}
		_, db := open(t, f)
		if err := begin(ctx, db); !errors.Is(err, context.Canceled) || !slices.Contains(f.log, end) {
			t.Errorf("got %v with the calls %q, want %v and %q", err, f.log, context.Canceled, end)
		}
	}
}

func TestRawConnectionUnwraps(t *testing.T) {
	_, db := open(t, &fake{modern: true})
	conn, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	err = conn.Raw(func(raw any) error {
		if _, ok := raw.(interface{ Unwrap() driver.Conn }).Unwrap().(*modernConn); !ok {
			return fmt.Errorf("%T does not unwrap", raw)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestCheckMayPingThroughTheProtectedPool(t *testing.T) {
	f := &fake{modern: true}
	b, db := open(t, f)
	check := b.Check(db.PingContext)
	f.failConnect = io.EOF
	for range 6 {
		_ = check(t.Context())
	}
	if b.State() != breaker.Open {
		t.Fatal("not open")
	}
	b.Reset()
	f.failConnect = nil
	if err := check(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func ExampleNew() {
	b, err := breaker.New(breaker.Config{Name: "database"})
	if err != nil {
		panic(err)
	}
	connector, err := sqlbreaker.New(sqlbreaker.Config{Breaker: b, Connector: &fake{failConnect: errors.New("connection refused")}})
	if err != nil {
		panic(err)
	}
	db := sql.OpenDB(connector)
	defer db.Close()
	for range 6 {
		err = db.Ping()
	}
	fmt.Println(err)
	_, err = sqlbreaker.New(sqlbreaker.Config{})
	fmt.Println(err)
	// Output:
	// circuit breaker database is open
	// sqlbreaker: Breaker is required
	// sqlbreaker: Connector is required
}
