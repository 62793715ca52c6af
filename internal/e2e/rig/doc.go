// Package rig starts the real things that the examples depend on: PostgreSQL and Redis from the machine's packages, and
// programs of this module, on free loopback ports, in folders of their own. Each can be stopped, started again, frozen
// and thawed, which is what makes it a dependency worth trying out. Package testdeps offers the same to tests.
package rig
