// Package probers probes the example server with HAProxy, which removes and adds servers by their /ready (see haproxy.cfg),
// and with a thousand probes a second while a dependency hangs. The tests are skipped where HAProxy is not installed.
package probers
