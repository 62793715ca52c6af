// Package faults holds tests of what the project promises while things break, with real servers on loopback: PostgreSQL
// and Redis that crash, freeze and come back; a gRPC upstream behind a proxy that hangs, resets, delays and refuses; and
// the example server as a process of its own, asked through every door, searched for secrets, and ended by SIGTERM under
// load. Each test is skipped, and says why, where a server's binary is not installed.
package faults
