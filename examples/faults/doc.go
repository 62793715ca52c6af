// Package faults holds tests of the breakers against real servers that are killed, frozen and restarted. Each test is
// skipped, and says why, where the server's binary is not installed.
package faults
