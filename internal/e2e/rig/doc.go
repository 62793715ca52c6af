// Package rig starts PostgreSQL and Redis from the machine's packages, and programs of this module, on free loopback ports in
// folders of their own. Each can be stopped, started again, frozen and thawed. Package testdeps does the same for tests.
package rig
