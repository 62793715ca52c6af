// Command conformance tests the health of a running server, in any language:
//
//	go run ./internal/e2e/conformance -addr localhost:50051
//	go run ./internal/e2e/conformance -addr localhost:50051 -names shop.v1.Orders -http http://localhost:8080 -file /tmp/health
//	go run ./internal/e2e/conformance -addr localhost:50051 -pid $(pgrep -x server) -drain-delay 5s
//
// It prints every rule with its result and source, and exits with 0 if no rule is violated, 1 if one is, and 2 if the server
// could not be tested. With -pid it ends the server by SIGTERM. With -fail and -heal, which a shell runs, it makes what the
// check -check depends on fail and recover.
//
// -protocol tests the protocol only, for servers without vitals.
package main
