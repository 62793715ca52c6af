// Package docs tests every Markdown page of the repository: links have a target, Go compiles, commands exist and print what
// the page shows, manifests fit the types of Kubernetes, promtool accepts queries and rules, and docs/operations.md names
// exactly the metrics, log lines, exit codes and variables of the sources.
//
// # How a page writes code
//
// A block names its kind: go, sh, console, yaml, json, promql, text. Only text is not tested.
//
// Go is a whole file, declarations, or statements. Names that a fragment does not declare are resolved: packages in
// imports_test.go, variables and functions in testdata/prelude.go.
//
// In sh every command, folder and path must exist. A console block holds commands, each after "$ ", and what they print; the
// test runs them against examples/server and compares. An … stands for any text within a line, and alone on a line for any
// number of lines. A comment before the block has options:
//
//	<!-- server: REDIS_URL=redis://localhost:1 -->   start the server with this in its environment
//	<!-- not run: why -->                            only check the commands, as in sh
package docs
