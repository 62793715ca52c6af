// Package mutual runs two processes that require each other, started in any order and both restarted: neither waits for the other
// for ever.
package mutual
