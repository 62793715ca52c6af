// Package inventoryv1 is the wire contract of the inventory service, generated from inventory.proto.
//
// The generators are pinned in tools/go.mod. Generate again after a change of the proto with
//
//	go generate ./inventory/v1
//
// from the examples folder. The same command followed by `git diff --exit-code -- inventory/v1` fails when the
// generated files have drifted from the proto.
package inventoryv1

//go:generate -command buf env GOWORK=off go tool -C ../.. -modfile=../tools/go.mod buf
//go:generate buf lint
//go:generate buf generate
