// Package probes serves the report of a servicer.Server over HTTP and in a health file.
//
//   - Handler serves /health, /live, /ready, /startup, /health/<name>, /health/badge.svg and /metrics.
//   - Server serves a Handler on its own listener with limits on connections, headers and time.
//   - File keeps a small JSON file up to date, for exec probes and watchdogs; ReadFile reads one.
//
// Package statuspage is the HTML page of /health, package healthcheck the program that probes a server from within its
// container, package promvitals a Prometheus collector, package kubernetes the probes of a pod.
//
// Requests never run checks: they read the newest report, so a response costs the same when a dependency hangs. A document
// is rendered once per report and viewer and shared by all requests.
//
// Error texts of checks are shown only to callers that servicer.Details allows; others get reasons and public messages.
//
// # Concurrency and ownership
//
// A Handler is safe for concurrent use. Server.Run, File.Run and Handler.Run block and own what they start; all of it has
// ended when they return.
//
// # Cost
//
// A response of /health, /live, /ready or /startup takes less than 1 µs in the handler and allocates nothing. The first one
// after a change renders: microseconds for JSON, milliseconds for a page of hundreds of checks.
package probes
