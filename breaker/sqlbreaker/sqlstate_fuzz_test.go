package sqlbreaker_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"syscall"
	"testing"

	"github.com/vitals-go/vitals/breaker"
	"github.com/vitals-go/vitals/breaker/sqlbreaker"
)

// stated is an error with an SQLSTATE, as of pgx and lib/pq.
type stated struct{ state string }

func (e *stated) Error() string    { return "SQLSTATE " + e.state }
func (e *stated) SQLState() string { return e.state }

// FuzzSQLState compares the classification with the table in appendix A of PostgreSQL's documentation: which classes
// are failures of the server and which of the statement.
func FuzzSQLState(f *testing.F) {
	for _, state := range []string{
		"00000", "02000", "08000", "08006", "08P01", "22012", "23505", "25P02", "28P01", "3D000", "40001", "40P01", "42P01", "53000", "53100", "53200",
		"53300", "55P03", "57000", "57014", "57P01", "57P02", "57P03", "57P04", "57P05", "58000", "58030", "XX000", "", "8", "08", "5", "57P", "\x00", "０８",
	} {
		for wrap := range uint8(12) {
			f.Add(state, wrap)
		}
	}
	f.Fuzz(func(t *testing.T, state string, wrap uint8) {
		inner := error(&stated{state})
		plain := wrapped(wrap)
		for _, err := range []error{
			inner, fmt.Errorf("query: %w", inner), errors.Join(errors.New("beside"), inner), &net.OpError{Op: "read", Err: inner},
			fmt.Errorf("%w, after %w", inner, plain),
		} {
			want := breaker.Success
			if strings.HasPrefix(state, "08") || strings.HasPrefix(state, "53") || strings.HasPrefix(state, "57P0") || strings.HasPrefix(state, "58") {
				want = breaker.Failure
			}
			got := sqlbreaker.Classify(err)
			if state != "" && got != want {
				t.Errorf("%v is a %v, want %v", err, got, want)
			}
			if got > breaker.Neutral {
				t.Errorf("%v is %d", err, got)
			}
		}
		if got, again := sqlbreaker.Classify(plain), sqlbreaker.Classify(fmt.Errorf("%s: %w", state, plain)); got != again {
			t.Errorf("%v is a %v, wrapped a %v", plain, got, again)
		}
	})
}

// wrapped is an error of drivers or database/sql without an SQLSTATE.
func wrapped(which uint8) error {
	all := []error{
		driver.ErrBadConn, driver.ErrSkip, sql.ErrNoRows, sql.ErrTxDone, io.EOF, io.ErrUnexpectedEOF, net.ErrClosed, syscall.ECONNREFUSED,
		context.DeadlineExceeded, context.Canceled, errors.New("unknown"), &breaker.OpenError{Name: "inner"},
	}
	return all[int(which)%len(all)]
}
