package inventory

import "time"

// Item is one kind of thing in stock.
type Item struct {
	SKU      string
	Name     string
	Quantity int64
	// Revision of the last change, and when it was made (UTC, whole microseconds). The store sets both.
	Revision int64
	Updated  time.Time
}

// Change is one step of the inventory's history.
type Change struct {
	Kind ChangeKind
	// Item after the change. For a Deleted one: as it was last, with the revision and the time of the deletion.
	Item Item
}

// Revision of the change.
func (c Change) Revision() int64 { return c.Item.Revision }

// ChangeKind is the kind of change of an item.
type ChangeKind uint8

// The kinds of changes. Their values are stored in databases: never reuse one.
const (
	Put     ChangeKind = 1
	Deleted ChangeKind = 2
)

// Price of one piece, in the smallest unit of the currency.
type Price struct {
	Currency   string
	MinorUnits int64
}
