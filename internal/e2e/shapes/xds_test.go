package shapes_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"testing"

	corepb "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	listenerpb "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"
	routepb "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	routerpb "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/router/v3"
	httppb "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"
	discoverypb "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/xds"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"

	"github.com/vitals-go/vitals/internal/e2e/shapes"
)

// controlPlane answers every request for a listener with one for the address of its name, without filters.
type controlPlane struct {
	discoverypb.UnimplementedAggregatedDiscoveryServiceServer
}

func (controlPlane) StreamAggregatedResources(stream discoverypb.AggregatedDiscoveryService_StreamAggregatedResourcesServer) error {
	for {
		request, err := stream.Recv()
		if err != nil {
			return err
		}
		if request.VersionInfo != "" { // an acknowledgment
			continue
		}
		response := &discoverypb.DiscoveryResponse{VersionInfo: "1", Nonce: "1", TypeUrl: request.TypeUrl}
		for _, name := range request.ResourceNames {
			resource, err := listener(name)
			if err != nil {
				return err
			}
			response.Resources = append(response.Resources, resource)
		}
		if err := stream.Send(response); err != nil {
			return err
		}
	}
}

func listener(name string) (*anypb.Any, error) {
	addr, err := net.ResolveTCPAddr("tcp", name)
	if err != nil {
		return nil, err
	}
	packed := func(m proto.Message) *anypb.Any {
		packed, packErr := anypb.New(m)
		err = errors.Join(err, packErr)
		return packed
	}
	manager := packed(&httppb.HttpConnectionManager{
		RouteSpecifier: &httppb.HttpConnectionManager_RouteConfig{RouteConfig: &routepb.RouteConfiguration{
			Name: "all", VirtualHosts: []*routepb.VirtualHost{{Domains: []string{"*"}, Routes: []*routepb.Route{{
				Match:  &routepb.RouteMatch{PathSpecifier: &routepb.RouteMatch_Prefix{Prefix: "/"}},
				Action: &routepb.Route_NonForwardingAction{},
			}}}},
		}},
		HttpFilters: []*httppb.HttpFilter{{
			Name: "router", ConfigType: &httppb.HttpFilter_TypedConfig{TypedConfig: packed(&routerpb.Router{})},
		}},
	})
	return packed(&listenerpb.Listener{
		Name: name,
		Address: &corepb.Address{Address: &corepb.Address_SocketAddress{SocketAddress: &corepb.SocketAddress{
			Address: addr.IP.String(), PortSpecifier: &corepb.SocketAddress_PortValue{PortValue: uint32(addr.Port)}, //nolint:gosec // a port
		}}},
		FilterChains: []*listenerpb.FilterChain{{Name: "all", Filters: []*listenerpb.Filter{{
			Name: "manager", ConfigType: &listenerpb.Filter_TypedConfig{TypedConfig: manager},
		}}}},
	}), err
}

// onXDS serves f with an xDS server, which is no *grpc.Server.
func onXDS(t *testing.T, f *shapes.Fixture) shapes.Served {
	control, controlLis := grpc.NewServer(), shapes.Listen(t)
	discoverypb.RegisterAggregatedDiscoveryServiceServer(control, controlPlane{})
	go func() { _ = control.Serve(controlLis) }()
	t.Cleanup(control.Stop)
	bootstrap := xds.BootstrapContentsForTesting(fmt.Appendf(nil, `{
		"xds_servers": [{"server_uri": %q, "channel_creds": [{"type": "insecure"}], "server_features": ["xds_v3"]}],
		"node": {"id": "test"}, "server_listener_resource_name_template": "%%s"
	}`, controlLis.Addr()))
	health, orders, lis := f.Health, f.Service, shapes.Listen(t)
	target, insecureClient := "passthrough:///"+lis.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials())
	return shapes.Run(t, target, func(ctx context.Context) error {
		server, err := xds.NewGRPCServer(append(health.ServerOptions(), bootstrap)...)
		if err != nil {
			return err
		}
		shop.RegisterOrdersServer(server, orders)
		health.Register(server)
		served := make(chan error, 1)
		go func() { served <- server.Serve(lis) }()
		err = health.Run(ctx)
		server.GracefulStop()
		return errors.Join(err, <-served)
	}, insecureClient)
}

func TestXDS(t *testing.T) { shapes.Test(t, shapes.Shape{Name: "xDS", Serve: onXDS}) }
