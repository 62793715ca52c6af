package sqlbreaker_test

import (
	"database/sql/driver"
	"fmt"
	"io"

	"github.com/vitals-go/vitals/breaker/sqlbreaker"
)

// sqlError is an error of PostgreSQL.s drivers.
type sqlError string

func (e sqlError) Error() string    { return "SQLSTATE " + string(e) }
func (e sqlError) SQLState() string { return string(e) }

func ExampleClassify() {
	for _, err := range []error{sqlError("23505"), sqlError("53300"), io.ErrUnexpectedEOF, driver.ErrBadConn} {
		fmt.Printf("%v: %v\n", err, sqlbreaker.Classify(err))
	}
	// Output:
	// SQLSTATE 23505: success
	// SQLSTATE 53300: failure
	// unexpected EOF: failure
	// driver: bad connection: neutral
}
