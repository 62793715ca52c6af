// Package docs holds the tests that keep every Markdown page of the repository true: links lead somewhere, Go compiles,
// commands exist and, where the page shows their output, answer what it shows, manifests fit the types of Kubernetes,
// queries and rules are read by promtool, and docs/operations.md names every metric, log line, exit code and variable that
// the sources have, and no other.
//
// # How a page writes code
//
// A block says what it is: go, sh, console, yaml, json, promql, text. Only text is taken as it is.
//
// Go is a whole file, or declarations, or statements. What a fragment uses without saying where it comes from is found
// by its name: packages in imports_test.go, variables and functions in testdata/prelude.go.
//
// In sh every command must exist, and so must the folders and paths that it names. A console block holds commands, each
// after "$ ", and what they print; the test runs them against examples/server and compares. An … stands for any text
// within a line, and alone on a line for any number of lines. A comment before the block says what is special:
//
//	<!-- server: REDIS_URL=redis://localhost:1 -->   start the server with this in its environment
//	<!-- not run: why -->                            only look at the commands, as in sh
package docs
