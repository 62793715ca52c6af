// Package testdeps starts the real things that the examples depend on, for tests: PostgreSQL and Redis from the
// machine's packages, on free loopback ports, in folders of their own. Each can be stopped, started again, frozen and
// thawed, which is what makes it a dependency worth testing against. A test that needs a program which is not
// installed is skipped and says so. Everything ends with the test that started it.
package testdeps
