// Package semconv holds the names and attributes of the OpenTelemetry semantic conventions for RPC 1.45 (stable).
package semconv

import (
	"iter"
	"sync"

	"go.opentelemetry.io/otel/attribute"
	"google.golang.org/grpc/codes"

	"github.com/vitals-go/vitals/interceptor"
	"github.com/vitals-go/vitals/internal/errtext"
)

const (
	// Scope is the name of the instrumentation scope.
	Scope = "github.com/vitals-go/vitals/otel"

	// ServerCallDuration is a metric in seconds.
	ServerCallDuration = "rpc.server.call.duration"
	// ClientCallDuration is a metric in seconds.
	ClientCallDuration = "rpc.client.call.duration"

	systemName = attribute.Key("rpc.system.name")
	method     = attribute.Key("rpc.method")
	statusCode = attribute.Key("rpc.status_code")
	errorType  = attribute.Key("error.type")
	// candidateStatusCode is the name of the status code in release candidates of the conventions and in otelgrpc. It is
	// added so that dashboards of either kind work; a second name of the same value makes no second series.
	candidateStatusCode = attribute.Key("rpc.response.status_code")
)

// codeNames are the status codes as the conventions spell them; read-only.
var codeNames = [interceptor.NumCodes]string{
	"OK", "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND", "ALREADY_EXISTS",
	"PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION", "ABORTED", "OUT_OF_RANGE", "UNIMPLEMENTED",
	"INTERNAL", "UNAVAILABLE", "DATA_LOSS", "UNAUTHENTICATED",
}

// Side is the server or the client side of calls.
type Side bool

// The sides.
const (
	Server Side = false
	Client Side = true
)

// Name identifies the series of a method.
type Name struct {
	// Method is the full name, without the leading slash.
	Method string
	// Operation marks work that is no gRPC call.
	Operation bool
}

// NameOf returns the name of a method, _OTHER for those that the recorder counts together. Several methods may share a
// name: _OTHER, and any that was called before its service was registered.
func NameOf(m *interceptor.Method) Name {
	operation := m.Type == interceptor.Other
	if m.Service == "other" && m.Name == "other" {
		return Name{"_OTHER", operation}
	}
	return Name{errtext.Valid(m.Service + "/" + m.Name), operation}
}

// ByName yields the methods of a snapshot, which are sorted, by their names.
func ByName(methods []interceptor.Method) iter.Seq2[Name, []interceptor.Method] {
	return func(yield func(Name, []interceptor.Method) bool) {
		for len(methods) > 0 {
			first, n := &methods[0], 1
			for n < len(methods) && methods[n].Service == first.Service && methods[n].Name == first.Name &&
				(methods[n].Type == interceptor.Other) == (first.Type == interceptor.Other) {
				n++
			}
			if !yield(NameOf(first), methods[:n]) {
				return
			}
			methods = methods[n:]
		}
	}
}

// Method returns the attributes of all calls of a method, and more.
func Method(name Name, more ...attribute.KeyValue) attribute.Set {
	system := "grpc"
	if name.Operation {
		system = "other"
	}
	return attribute.NewSet(append(more, systemName.String(system), method.String(name.Method))...)
}

// Calls returns the attributes of a method's calls that ended with code. On the client every code but OK is an error, on
// the server those for which interceptor.IsFailure holds.
func Calls(side Side, name Name, code codes.Code) attribute.Set {
	text := codeNames[code]
	more := []attribute.KeyValue{statusCode.String(text), candidateStatusCode.String(text)}
	if code != codes.OK && (side == Client || interceptor.IsFailure(code)) {
		more = append(more, errorType.String(text))
	}
	return Method(name, more...)
}

// Cache keeps the attribute sets of one side's methods, which cost a few µs each to make. It is bounded by the methods of
// the recorder. The zero value is empty. It is safe for concurrent use.
type Cache struct {
	mu   sync.Mutex
	sets map[cacheKey]attribute.Set
}

type cacheKey struct {
	name Name
	slot Slot
}

// Slot selects one of a method's sets: that of a code by its number, or one of the constants.
type Slot uint8

// The slots after those of the codes.
const (
	All Slot = interceptor.NumCodes + iota
	Received
	Sent
)

// Get returns the set of a method in slot, made by build the first time.
func (c *Cache) Get(name Name, slot Slot, build func() attribute.Set) attribute.Set {
	c.mu.Lock()
	defer c.mu.Unlock()
	key := cacheKey{name, slot}
	set, found := c.sets[key]
	if !found {
		if c.sets == nil {
			c.sets = map[cacheKey]attribute.Set{}
		}
		set = build()
		c.sets[key] = set
	}
	return set
}

// Method is the function Method, cached.
func (c *Cache) Method(name Name) attribute.Set {
	return c.Get(name, All, func() attribute.Set { return Method(name) })
}

// Calls is the function Calls, cached.
func (c *Cache) Calls(side Side, name Name, code codes.Code) attribute.Set {
	return c.Get(name, Slot(code), func() attribute.Set { return Calls(side, name, code) })
}
