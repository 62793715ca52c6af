// Package probes repeats the verdict of a servicer.Server to whoever does not speak gRPC: over HTTP, on a status
// page for people, and in a file. It also holds the other side, a probe that any binary can run on itself.
//
//   - Handler answers /health, /live, /ready, /startup, /health/<check>, /health/badge.svg and /metrics.
//   - Server serves a Handler on a listener of its own, bounded in every direction.
//   - File keeps a small JSON file up to date, for exec probes and watchdogs; ReadFile reads one.
//   - Main is the program behind "mybinary healthcheck": it asks over gRPC or HTTP, or reads the file.
//
// No door ever runs a check. Each reads the newest edition of the report, so an answer costs the same whether a
// dependency is well or hangs. What a door sends is rendered once per edition and shared by all who ask.
//
// Error texts of checks are shown only to callers whom the servicer.Details allow to see them; everybody gets stable
// reason codes and messages that are safe.
//
// # Concurrency and ownership
//
// A Handler may be used by any number of goroutines and owns none. Server.Run, File.Run and Handler.Run block and own
// what they start; everything has gone when they return.
//
// # Cost
//
// An answer of /health, /live, /ready or /startup from a rendered edition takes about 0.2 µs in the handler and
// allocates nothing. The first answer after a change renders: microseconds for JSON, milliseconds for a page of
// hundreds of checks.
package probes
