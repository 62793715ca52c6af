// Package testdeps starts PostgreSQL and Redis from the machine's packages for tests, on free loopback ports in folders of
// their own. Each can be stopped, started again, frozen and thawed, and ends with the test that started it. A test that needs
// a program which is not installed is skipped.
package testdeps
