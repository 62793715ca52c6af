package inventory_test

import (
	"context"
	"net"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/test/bufconn"

	"github.com/vitals-go/vitals/examples/inventory"
	"github.com/vitals-go/vitals/examples/inventory/sqlstore"
	inventoryv1 "github.com/vitals-go/vitals/examples/inventory/v1"
)

// newStore returns an empty store in memory.
func newStore(t *testing.T) *sqlstore.Store {
	t.Helper()
	store, err := sqlstore.SQLite(sqlstore.Memory, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	if err := store.Check(t.Context()); err != nil {
		t.Fatal(err)
	}
	return store
}

// serve runs a service on an in-memory connection and returns it with a client.
func serve(t *testing.T, cfg inventory.Config) (*inventory.Service, inventoryv1.InventoryClient) {
	t.Helper()
	service, err := inventory.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	lis := bufconn.Listen(1 << 16)
	server := grpc.NewServer()
	inventoryv1.RegisterInventoryServer(server, service)
	conn, err := grpc.NewClient("passthrough:bufconn", grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return lis.DialContext(ctx) }))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { service.Run(ctx) })
	running.Go(func() { _ = server.Serve(lis) })
	t.Cleanup(func() {
		cancel()
		_ = conn.Close()
		server.Stop()
		running.Wait()
	})
	return service, inventoryv1.NewInventoryClient(conn)
}

// within bounds a test that would otherwise wait for ever.
func within(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func putItem(t *testing.T, client inventoryv1.InventoryClient, sku string) *inventoryv1.Item {
	t.Helper()
	resp, err := client.Put(within(t), &inventoryv1.PutRequest{Item: &inventoryv1.Item{Sku: sku, Name: "Any", Quantity: 1}})
	if err != nil {
		t.Fatal(err)
	}
	return resp.GetItem()
}

// brokenStore fails every call with one error.
type brokenStore struct{ err error }

func (s brokenStore) Put(context.Context, inventory.Item, *int64) (inventory.Item, error) {
	return inventory.Item{}, s.err
}

func (s brokenStore) Get(context.Context, string) (inventory.Item, error) {
	return inventory.Item{}, s.err
}

func (s brokenStore) Delete(context.Context, string, *int64) (inventory.Item, error) {
	return inventory.Item{}, s.err
}

func (s brokenStore) List(context.Context, string, string, int) ([]inventory.Item, error) {
	return nil, s.err
}
func (s brokenStore) Head(context.Context) (int64, error) { return 0, s.err }
func (s brokenStore) Changes(context.Context, int64, int) ([]inventory.Change, error) {
	return nil, s.err
}
func (s brokenStore) Forget(context.Context, int64) error { return s.err }
