package kv

import (
	"context"

	"github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"

	kvv1 "github.com/vitals-go/vitals/examples/plugin/kv/v1"
)

// Name is what the host dispenses.
const Name = "store"

// Handshake returns what both sides must agree on before they talk. It is no secret, only proof that a program was
// started as a plugin.
func Handshake() plugin.HandshakeConfig {
	return plugin.HandshakeConfig{ProtocolVersion: 1, MagicCookieKey: "VITALS_KV_PLUGIN", MagicCookieValue: "store"}
}

// Plugin connects the two sides of the store. The host leaves Store nil.
type Plugin struct {
	plugin.NetRPCUnsupportedPlugin

	Store kvv1.StoreServer
}

// GRPCServer registers the store in the plugin's process.
func (p *Plugin) GRPCServer(_ *plugin.GRPCBroker, server *grpc.Server) error {
	kvv1.RegisterStoreServer(server, p.Store)
	return nil
}

// GRPCClient returns the connection, in the host's process: the store, the health service and the report are all behind
// it.
func (p *Plugin) GRPCClient(_ context.Context, _ *plugin.GRPCBroker, conn *grpc.ClientConn) (any, error) {
	return conn, nil
}
