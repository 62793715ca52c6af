// Package tools pins the programs that build and check vitals: gofumpt, golangci-lint, buf and the protobuf
// generators. They have a module of their own, outside go.work, so that no user and no test run downloads them.
// Run one from the repository's root with
//
//	GOWORK=off go tool -modfile=tools/go.mod gofumpt -l .
package tools
