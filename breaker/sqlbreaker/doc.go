// Package sqlbreaker guards database/sql with a circuit breaker, around a driver.Connector.
//
//	connector, err := sqlbreaker.New(sqlbreaker.Config{Breaker: b, Connector: stdlib.GetConnector(*config)})
//	db := sql.OpenDB(connector)
//
// Guarded are Connect, Ping, BeginTx, Prepare, Exec and Query, of connections and of statements. Commit and Rollback
// are not: a transaction must be able to end. Rows are the driver's own.
//
// # What counts
//
// A failure is an error of the transport, a deadline that passed, and an SQLSTATE of the classes 08 (connection), 53
// (resources), 57P0 (shutdown) and 58 (system), read through the method SQLState() string that PostgreSQL drivers have.
// Every other SQLSTATE is a success: the database answered. Neutral is what says nothing: a cancelled caller,
// driver.ErrBadConn of a connection that has worked before (it went stale in the pool; the next attempt opens a new one,
// and that counts), an error of unknown kind, and a connection that could be opened (a database that accepts connections
// may still not answer).
//
// A rejection is a *breaker.OpenError, never driver.ErrBadConn, which database/sql would take as a reason to try again.
//
// # The driver shows through
//
// The optional interfaces of a driver behave as if database/sql saw them itself: what the driver does not implement
// is answered in the way in which database/sql works around it. Code that uses sql.Conn.Raw gets a connection whose
// method Unwrap() driver.Conn returns the driver's own.
//
// # Concurrency, ownership and cost
//
// A connector may be used concurrently; nothing is started. A guarded call costs one Allow and one Done, and at
// most two small allocations; so does a prepared statement.
package sqlbreaker
