// Command load puts everything on one server at once: tens of thousands of Watch streams, thousands of health Checks a
// second, scrapes, fresh probers and application calls, in stages that add one after the other and end beyond what the
// machine carries. It shows what degrades first, and that health answers stay true while it does.
//
//	go run ./bench/load
//	go run ./bench/load -watches 5000 -checks 1000 -stage 3s
//
// Server, watchers and callers are three processes on the same cores, as the reader of the table must bear in mind:
// latencies are measured by the caller, from the moment it sends, and hold its own waiting for a core.
//
// It exits with 1 when a health response was wrong or lost, or a watcher was not notified.
package main
