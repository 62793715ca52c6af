package inventory_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/vitals-go/vitals/examples/inventory"
	inventoryv1 "github.com/vitals-go/vitals/examples/inventory/v1"
)

func TestNewReportsMistakes(t *testing.T) {
	_, err := inventory.New(inventory.Config{History: -1})
	for _, word := range []string{"Store", "negative"} {
		if err == nil || !strings.Contains(err.Error(), word) {
			t.Errorf("error %v does not speak of %q", err, word)
		}
	}
}

func TestPutGetDelete(t *testing.T) {
	_, client := serve(t, inventory.Config{Store: newStore(t)})
	ctx := within(t)
	created := putItem(t, client, "bolt")
	if created.GetRevision() != 1 || created.GetUpdateTime().AsTime().IsZero() {
		t.Errorf("Put returned %v, want revision 1 and a time", created)
	}
	got, err := client.Get(ctx, &inventoryv1.GetRequest{Sku: "bolt"})
	if err != nil || !proto.Equal(got.GetItem(), created) || got.GetPrice() != nil || got.GetFromUpstream() {
		t.Errorf("Get = %v, %v; want just %v", got, err, created)
	}
	deleted, err := client.Delete(ctx, &inventoryv1.DeleteRequest{Sku: "bolt", ExpectedRevision: proto.Int64(1)})
	if err != nil || deleted.GetRevision() != 2 {
		t.Errorf("Delete = %v, %v; want revision 2", deleted, err)
	}
	if _, err := client.Get(ctx, &inventoryv1.GetRequest{Sku: "bolt"}); status.Code(err) != codes.NotFound {
		t.Errorf("Get after Delete: %v, want NOT_FOUND", err)
	}
}

// call is one RPC, whatever it returns.
type call func(context.Context, inventoryv1.InventoryClient) error

func put(req *inventoryv1.PutRequest) call {
	return func(ctx context.Context, client inventoryv1.InventoryClient) error {
		_, err := client.Put(ctx, req)
		return err
	}
}

func get(sku string) call {
	return func(ctx context.Context, client inventoryv1.InventoryClient) error {
		_, err := client.Get(ctx, &inventoryv1.GetRequest{Sku: sku})
		return err
	}
}

func list(req *inventoryv1.ListRequest) call {
	return func(ctx context.Context, client inventoryv1.InventoryClient) error {
		_, err := client.List(ctx, req)
		return err
	}
}

func remove(req *inventoryv1.DeleteRequest) call {
	return func(ctx context.Context, client inventoryv1.InventoryClient) error {
		_, err := client.Delete(ctx, req)
		return err
	}
}

func watch(req *inventoryv1.WatchRequest) call {
	return func(ctx context.Context, client inventoryv1.InventoryClient) error {
		stream, err := client.Watch(ctx, req)
		if err == nil {
			_, err = stream.Recv()
		}
		return err
	}
}

func TestInvalidArgumentNamesEveryField(t *testing.T) {
	_, client := serve(t, inventory.Config{Store: newStore(t)})
	item := func(sku, name string, quantity int64) *inventoryv1.Item {
		return &inventoryv1.Item{Sku: sku, Name: name, Quantity: quantity}
	}
	for name, tc := range map[string]struct {
		call call
		want []string
	}{
		"no item":              {put(&inventoryv1.PutRequest{}), []string{"item"}},
		"empty item":           {put(&inventoryv1.PutRequest{Item: item("", "", 0)}), []string{"item.sku", "item.name"}},
		"capital letter":       {put(&inventoryv1.PutRequest{Item: item("Bolt", "Bolt", 0)}), []string{"item.sku"}},
		"leading hyphen":       {put(&inventoryv1.PutRequest{Item: item("-bolt", "Bolt", 0)}), []string{"item.sku"}},
		"long SKU":             {put(&inventoryv1.PutRequest{Item: item(strings.Repeat("a", 65), "Bolt", 0)}), []string{"item.sku"}},
		"long name":            {put(&inventoryv1.PutRequest{Item: item("bolt", strings.Repeat("ß", 201), 0)}), []string{"item.name"}},
		"control character":    {put(&inventoryv1.PutRequest{Item: item("bolt", "a\nb", 0)}), []string{"item.name"}},
		"space at the end":     {put(&inventoryv1.PutRequest{Item: item("bolt", "Bolt ", 0)}), []string{"item.name"}},
		"less than nothing":    {put(&inventoryv1.PutRequest{Item: item("bolt", "Bolt", -1)}), []string{"item.quantity"}},
		"too many":             {put(&inventoryv1.PutRequest{Item: item("bolt", "Bolt", 1_000_000_001)}), []string{"item.quantity"}},
		"everything":           {put(&inventoryv1.PutRequest{Item: item("!", "\x00", -1), ExpectedRevision: proto.Int64(-1)}), []string{"item.sku", "item.name", "item.quantity", "expected_revision"}},
		"get nothing":          {get(""), []string{"sku"}},
		"get a pattern":        {get("bolt%"), []string{"sku"}},
		"delete nothing":       {remove(&inventoryv1.DeleteRequest{ExpectedRevision: proto.Int64(0)}), []string{"sku", "expected_revision"}},
		"negative page":        {list(&inventoryv1.ListRequest{PageSize: -1}), []string{"page_size"}},
		"huge page":            {list(&inventoryv1.ListRequest{PageSize: 1001}), []string{"page_size"}},
		"token of our own":     {list(&inventoryv1.ListRequest{PageToken: "Zm9v"}), []string{"page_token"}},
		"no base64":            {list(&inventoryv1.ListRequest{PageToken: "?"}), []string{"page_token"}},
		"token is too long":    {list(&inventoryv1.ListRequest{PageToken: strings.Repeat("A", 1000)}), []string{"page_token"}},
		"prefix and page size": {list(&inventoryv1.ListRequest{PageSize: -1, SkuPrefix: "A"}), []string{"sku_prefix", "page_size"}},
		"watch a pattern":      {watch(&inventoryv1.WatchRequest{SkuPrefix: "*", AfterRevision: proto.Int64(-1)}), []string{"sku_prefix", "after_revision"}},
	} {
		t.Run(name, func(t *testing.T) {
			err := tc.call(within(t), client)
			if status.Code(err) != codes.InvalidArgument {
				t.Fatalf("error %v, want INVALID_ARGUMENT", err)
			}
			var got []string
			for _, violation := range detail[*errdetails.BadRequest](err).GetFieldViolations() {
				got = append(got, violation.GetField())
			}
			if !slices.Equal(got, tc.want) {
				t.Errorf("fields %q, want %q", got, tc.want)
			}
		})
	}
}

// detail returns the first detail of a type, or its zero value.
func detail[T proto.Message](err error) T {
	for _, d := range status.Convert(err).Details() {
		if typed, ok := d.(T); ok {
			return typed
		}
	}
	var none T
	return none
}

func TestConflicts(t *testing.T) {
	_, client := serve(t, inventory.Config{Store: newStore(t)})
	putItem(t, client, "bolt")
	item := &inventoryv1.Item{Sku: "bolt", Name: "Bolt"}
	for name, tc := range map[string]struct {
		call call
		want codes.Code
	}{
		"create what exists":         {put(&inventoryv1.PutRequest{Item: item, ExpectedRevision: proto.Int64(0)}), codes.AlreadyExists},
		"replace at another one":     {put(&inventoryv1.PutRequest{Item: item, ExpectedRevision: proto.Int64(7)}), codes.Aborted},
		"delete at another revision": {remove(&inventoryv1.DeleteRequest{Sku: "bolt", ExpectedRevision: proto.Int64(7)}), codes.Aborted},
		"delete what is missing":     {remove(&inventoryv1.DeleteRequest{Sku: "cog"}), codes.NotFound},
	} {
		err := tc.call(within(t), client)
		if status.Code(err) != tc.want {
			t.Errorf("%s: %v, want %v", name, err, tc.want)
		}
		if tc.want == codes.Aborted && detail[*errdetails.ErrorInfo](err).GetMetadata()["revision"] != "1" {
			t.Errorf("%s: the error does not say at which revision the item is", name)
		}
	}
}

func TestListPages(t *testing.T) {
	_, client := serve(t, inventory.Config{Store: newStore(t)})
	for i := range 7 {
		putItem(t, client, fmt.Sprintf("bolt-%d", i))
	}
	putItem(t, client, "nut")
	var got []string
	req := &inventoryv1.ListRequest{PageSize: 3, SkuPrefix: "bolt-"}
	for page := 0; ; page++ {
		resp, err := client.List(within(t), req)
		if err != nil {
			t.Fatal(err)
		}
		if resp.GetRevision() != 8 {
			t.Errorf("page %d is of revision %d, want that of the first page, 8", page, resp.GetRevision())
		}
		for _, item := range resp.GetItems() {
			got = append(got, item.GetSku())
		}
		if page == 0 { // A change between the pages does not show in Revision: a watch from there delivers it.
			putItem(t, client, "bolt-0")
		}
		if req.PageToken = resp.GetNextPageToken(); req.GetPageToken() == "" {
			break
		}
	}
	want := []string{"bolt-0", "bolt-1", "bolt-2", "bolt-3", "bolt-4", "bolt-5", "bolt-6"}
	if !slices.Equal(got, want) {
		t.Errorf("pages hold %q, want %q", got, want)
	}

	first, err := client.List(within(t), &inventoryv1.ListRequest{PageSize: 1})
	if err != nil {
		t.Fatal(err)
	}
	foreign := &inventoryv1.ListRequest{PageToken: first.GetNextPageToken(), SkuPrefix: "nut"}
	if _, err := client.List(within(t), foreign); status.Code(err) != codes.InvalidArgument {
		t.Errorf("token of another listing: %v, want INVALID_ARGUMENT", err)
	}
}

func TestStoreErrorsDoNotLeak(t *testing.T) {
	const secret = "password=hunter2"
	for name, tc := range map[string]struct {
		err  error
		want codes.Code
	}{
		"unavailable": {fmt.Errorf("dial %s: %w", secret, inventory.ErrUnavailable), codes.Unavailable},
		"too slow":    {fmt.Errorf("%s: %w", secret, context.DeadlineExceeded), codes.Unavailable},
		"a defect":    {errors.New("syntax error near " + secret), codes.Internal},
	} {
		t.Run(name, func(t *testing.T) {
			_, client := serve(t, inventory.Config{Store: brokenStore{tc.err}})
			for method, call := range map[string]call{
				"Put":    put(&inventoryv1.PutRequest{Item: &inventoryv1.Item{Sku: "bolt", Name: "Bolt"}}),
				"Get":    get("bolt"),
				"List":   list(&inventoryv1.ListRequest{}),
				"Delete": remove(&inventoryv1.DeleteRequest{Sku: "bolt"}),
				"Watch":  watch(&inventoryv1.WatchRequest{}),
			} {
				err := call(within(t), client)
				if status.Code(err) != tc.want {
					t.Errorf("%s: %v, want %v", method, err, tc.want)
				}
				if strings.Contains(fmt.Sprint(err, status.Convert(err).Proto()), "hunter2") {
					t.Errorf("%s lets the secret out: %v", method, err)
				}
			}
		})
	}
}

// hungStore answers when its caller gives up.
type hungStore struct{ brokenStore }

func (hungStore) Get(ctx context.Context, _ string) (inventory.Item, error) {
	<-ctx.Done()
	return inventory.Item{}, ctx.Err()
}

func TestHungStore(t *testing.T) {
	_, client := serve(t, inventory.Config{Store: hungStore{}, StoreTimeout: 10 * time.Millisecond})
	if err := get("bolt")(within(t), client); status.Code(err) != codes.Unavailable {
		t.Errorf("patient caller: %v, want UNAVAILABLE", err)
	}
	if d := detail[*errdetails.RetryInfo](get("bolt")(within(t), client)); d.GetRetryDelay().AsDuration() <= 0 {
		t.Error("the error does not say when to try again")
	}
}
