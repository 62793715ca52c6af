// Package sqlstore keeps an inventory in SQLite or PostgreSQL.
//
// [SQLite] needs nothing but a file, [Postgres] a database that any number of servers may share. Neither connects when
// it is called: a database that is away at the start is no reason not to start. [Store.Check] is the health check: it
// brings the schema up to date as soon as the database can be reached, and until then every call fails with
// inventory.ErrUnavailable.
//
// Writers are serialised by the row that holds the newest revision. This is what makes the history gap-free and
// ordered, and it bounds the write rate to one commit at a time: enough for a stock of goods, not for a click stream.
package sqlstore
