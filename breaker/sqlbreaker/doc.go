// Package sqlbreaker adds a circuit breaker to database/sql, as a driver.Connector.
//
//	connector, err := sqlbreaker.New(sqlbreaker.Config{Breaker: b, Connector: stdlib.GetConnector(*config)})
//	db := sql.OpenDB(connector)
//
// Protected are Connect, Ping, BeginTx, Prepare, Exec and Query of connections and statements. Commit and Rollback are
// not, so that a transaction can end. Rows are the driver's own, unless Config.IncludeRows includes their errors and time.
//
// # Outcomes
//
// Failures are transport errors, deadlines, and the SQLSTATE classes 08 (connection), 53 (resources), 57P0 (shutdown)
// and 58 (system), read through the method SQLState() string that PostgreSQL drivers have. All other SQLSTATEs are
// successes: the database responded. Neutral are canceled calls, errors of an unknown kind, an opened connection (a
// database that accepts connections may still not respond), and driver.ErrBadConn of a connection that has worked before:
// it went stale in the pool, and opening the next one counts.
//
// A rejection is a *breaker.OpenError, never driver.ErrBadConn, which database/sql retries.
//
// # Optional driver interfaces
//
// Optional interfaces that the driver lacks behave as database/sql does without them. Connections of sql.Conn.Raw have a
// method Unwrap() driver.Conn that returns the driver's own connection.
//
// # Concurrency and cost
//
// A connector is safe for concurrent use; nothing is started. A call costs one Allow, one Record and at most two small
// allocations; so does a prepared statement.
package sqlbreaker
