// Command conformance judges the health of a running server, in whatever language it is written:
//
//	go run ./internal/e2e/conformance -addr localhost:50051
//	go run ./internal/e2e/conformance -addr localhost:50051 -names shop.v1.Orders -http http://localhost:8080 -file /tmp/health
//	go run ./internal/e2e/conformance -addr localhost:50051 -pid $(pgrep -x server) -drain-delay 5s
//
// It prints every rule with its verdict and the source of the rule, and ends with 0 if no rule is broken, 1 if one is,
// and 2 if the server could not be judged. With -pid it ends the server by SIGTERM. With -fail and -heal, which a shell
// runs, it breaks what the check -check asks and repairs it.
//
// A server that never heard of vitals makes no promise beyond the protocol: -protocol judges by that alone.
package main
