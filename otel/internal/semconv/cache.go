package semconv

import (
	"sync"

	"go.opentelemetry.io/otel/attribute"
	"google.golang.org/grpc/codes"

	"github.com/vitals-go/vitals/interceptor"
)

// Cache keeps attribute sets, which are dear to make: a few µs each, several for each method, at every collection. It
// grows with the methods that the recorder knows, which bounds them. Its zero value is empty; it may be used
// concurrently.
type Cache struct {
	mu   sync.Mutex
	sets map[Name]*[slots]*attribute.Set
}

// Slot is which of a method's sets is meant: that of the calls that ended with a code, by its number, or one of those
// below.
type Slot uint8

// The slots beside those of codes.
const (
	All Slot = interceptor.NumCodes + iota
	Received
	Sent
	slots
)

// Get returns the set in the slot of the method called name, made by make the first time.
func (c *Cache) Get(name Name, slot Slot, make func() attribute.Set) attribute.Set {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.sets == nil {
		c.sets = map[Name]*[slots]*attribute.Set{}
	}
	row := c.sets[name]
	if row == nil {
		row = new([slots]*attribute.Set)
		c.sets[name] = row
	}
	if row[slot] == nil {
		row[slot] = new(make())
	}
	return *row[slot]
}

// Method returns the attributes of all calls of a method.
func (c *Cache) Method(name Name) attribute.Set {
	return c.Get(name, All, func() attribute.Set { return Method(name) })
}

// Calls returns the attributes of a method's calls that ended with code. A Cache serves one side only.
func (c *Cache) Calls(side Side, name Name, code codes.Code) attribute.Set {
	return c.Get(name, Slot(code), func() attribute.Set { return Calls(side, name, code) })
}
