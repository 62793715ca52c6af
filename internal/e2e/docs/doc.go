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
// test runs them against examples/server, which a block above starts, and compares. An … stands for any text within a line, and
// alone on a line for any number of lines. A comment before the block has options:
//
//	<!-- not run: why -->         only check the commands, as in sh
//	<!-- run: FILE -->            the Go is a part of FILE, which tests run
//	<!-- file: NAME -->           in the tutorial: the file NAME
//	<!-- terminal: NAME -->       in the tutorial: the last command keeps running, in place of what ran under NAME
//	<!-- after Ctrl-C: NAME -->   in the tutorial: what runs under NAME is interrupted first
package docs
