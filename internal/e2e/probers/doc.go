// Package probers probes the example server with HAProxy, which removes and adds servers by their /ready (see haproxy.cfg),
// and with a thousand probes a second while a dependency hangs, and with the programs that the report has to tell apart. Tests are
// skipped where a program is not installed.
package probers
