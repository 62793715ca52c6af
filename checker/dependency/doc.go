// Package dependency makes the functions that checks of dependencies call: is the database there, the cache, the
// service upstream?
//
// Most constructors return a func(context.Context) error for [checker.Check.Run]: [HTTP], [TCP], [DNS], [GRPC],
// [SQL], [Redis], and [Command] for clients such as go-redis. [All], [Any] and [Quorum] make one such function of
// several. [SQLPool] and [Certificate] return whole checks, because they measure: how full a connection pool is, how
// much of a certificate's lifetime has passed. A dependency that does its job badly is a warning of such a check;
// the others know only available and unavailable.
//
// # Errors
//
// An error holds the raw cause and, behind it, what to do next in an operator's words. It may name hosts and quote
// what the dependency said: it is for the log and for those who may see details, never for the public.
//
// # Concurrency, ownership and cost
//
// All functions may be called concurrently and end with their context. HTTP, TCP, DNS, Redis and Certificate open one
// connection per run and close it, so that they test the whole way and keep nothing; GRPC and SQL use the connections
// that the program has. No goroutine outlives a run, but for members of All, Any and Quorum that ignore their context:
// at most one goroutine for each, however often the check runs.
//
// Constructors validate, report all mistakes of their configuration at once, and start nothing.
package dependency
