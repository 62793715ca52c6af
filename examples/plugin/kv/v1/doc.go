// Package kvv1 is the wire contract between the host and its store plugins, generated from kv.proto.
//
// The generators are pinned in tools/go.mod. Generate again after a change of the proto with
//
//	go generate ./plugin/kv/v1
//
// from the examples folder.
package kvv1

//go:generate -command buf env GOWORK=off go tool -C ../../.. -modfile=../tools/go.mod buf
//go:generate buf lint
//go:generate buf generate
