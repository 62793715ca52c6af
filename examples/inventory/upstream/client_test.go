package upstream_test

import (
	"context"
	"net"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	"google.golang.org/grpc/test/bufconn"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/vitals-go/vitals/examples/inventory"
	"github.com/vitals-go/vitals/examples/inventory/upstream"
	inventoryv1 "github.com/vitals-go/vitals/examples/inventory/v1"
)

// circle is an inventory that has one item and asks itself for all others.
type circle struct {
	inventoryv1.UnimplementedInventoryServer

	itself *upstream.Client
	asked  int
}

func (c *circle) Get(ctx context.Context, req *inventoryv1.GetRequest) (*inventoryv1.GetResponse, error) {
	c.asked++
	if req.GetSku() == "bolt" {
		return &inventoryv1.GetResponse{Item: &inventoryv1.Item{
			Sku: "bolt", Name: "Bolt", Quantity: 2, Revision: 3, UpdateTime: timestamppb.New(time.Unix(4, 0)),
		}}, nil
	}
	if _, ok := c.itself.Get(ctx, req.GetSku()); ok {
		return nil, status.Error(codes.Internal, "found out of nothing")
	}
	return nil, status.Error(codes.NotFound, "there is no such item")
}

func serve(t *testing.T) (*upstream.Client, *circle) {
	t.Helper()
	lis := bufconn.Listen(1 << 16)
	conn, err := grpc.NewClient("passthrough:bufconn", grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return lis.DialContext(ctx) }))
	if err != nil {
		t.Fatal(err)
	}
	client := upstream.New(conn)
	items, server := &circle{itself: client}, grpc.NewServer()
	inventoryv1.RegisterInventoryServer(server, items)
	served := make(chan struct{})
	go func() {
		defer close(served)
		_ = server.Serve(lis)
	}()
	t.Cleanup(func() {
		_ = conn.Close()
		server.Stop()
		<-served
	})
	return client, items
}

func TestGet(t *testing.T) {
	client, items := serve(t)
	want := inventory.Item{SKU: "bolt", Name: "Bolt", Quantity: 2, Revision: 3, Updated: time.Unix(4, 0).UTC()}
	if item, ok := client.Get(t.Context(), "bolt"); !ok || item != want {
		t.Errorf("Get = %+v, %v; want %+v", item, ok, want)
	}
	items.asked = 0
	if _, ok := client.Get(t.Context(), "cog"); ok || items.asked != 1 {
		t.Errorf("an item nobody has: found %v, asked %d times; want once, not in circles", ok, items.asked)
	}
}
