// Package sqlstore keeps an inventory in SQLite or PostgreSQL.
//
// [SQLite] needs a file, [Postgres] a database that servers may share. Neither connects when it is called, so that a server
// can start before its database. [Store.Check] is the health check: it also creates or updates the schema; until then every
// call fails with inventory.ErrUnavailable.
//
// Writers are serialized by the row that holds the newest revision, so that the history is ordered and has no gaps. That
// limits the write rate to one commit at a time.
package sqlstore
