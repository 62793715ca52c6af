package inventory

import (
	"google.golang.org/protobuf/types/known/timestamppb"

	inventoryv1 "github.com/vitals-go/vitals/examples/inventory/v1"
)

func fromProto(item *inventoryv1.Item) Item {
	return Item{SKU: item.GetSku(), Name: item.GetName(), Quantity: item.GetQuantity()}
}

func toProto(item Item) *inventoryv1.Item {
	return &inventoryv1.Item{
		Sku:        item.SKU,
		Name:       item.Name,
		Quantity:   item.Quantity,
		Revision:   item.Revision,
		UpdateTime: timestamppb.New(item.Updated),
	}
}

func changeToProto(change Change) *inventoryv1.Change {
	kind := inventoryv1.Change_KIND_PUT
	if change.Kind == Deleted {
		kind = inventoryv1.Change_KIND_DELETE
	}
	return &inventoryv1.Change{Kind: kind, Item: toProto(change.Item)}
}
