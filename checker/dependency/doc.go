// Package dependency provides the functions of checks of dependencies such as databases, caches and upstream services.
//
// Most constructors return a func(context.Context) error for [checker.Check.Run]: [HTTP], [TCP], [DNS], [GRPC], [SQL],
// [Redis], and [Command] for clients such as go-redis. [All], [Any] and [Quorum] combine several into one. [SQLPool] and
// [Certificate] return whole checks, because they measure: how full a connection pool is, how much of a certificate's
// lifetime has passed.
//
// An error holds the raw cause and what an operator should check next. It may name hosts and quote responses, so it belongs
// in the log and in details, not in public text.
//
// All functions may be called concurrently and end with their context. HTTP, TCP, DNS, Redis and Certificate open and close
// one connection per run; GRPC and SQL use the program's own. No goroutine outlives a run, except one for each member of
// All, Any and Quorum that ignores its context.
//
// Constructors start nothing and join all mistakes of their configuration in one error.
package dependency
