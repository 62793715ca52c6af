// Package supervisor keeps a store plugin running. It starts the plugin's process, follows its liveness and its report, and
// starts a new process when the old one ends, hangs, or is not live.
//
// A failing dependency is no reason to restart: it changes the plugin's readiness, not its liveness. A hang is found by
// probes only: a health stream is silent then, and go-plugin's own Ping and Kill wait forever.
//
// Run owns every goroutine, process and file and leaves none behind. All methods are safe for concurrent use; Run must not be
// called concurrently.
package supervisor
