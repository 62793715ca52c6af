// Package faults tests single faults with servers on loopback: PostgreSQL and Redis that crash, freeze and recover; a gRPC
// upstream behind a proxy that hangs, resets, delays and refuses; and the example server as a process, checked at every
// endpoint, searched for secrets, and ended by SIGTERM under load. Tests are skipped where a server's binary is not installed.
package faults
