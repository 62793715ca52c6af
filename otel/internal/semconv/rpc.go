package semconv

import (
	"iter"
	"strings"

	"go.opentelemetry.io/otel/attribute"
	"google.golang.org/grpc/codes"

	"github.com/vitals-go/vitals/interceptor"
)

// The metrics of the conventions, in seconds.
const (
	ServerCallDuration = "rpc.server.call.duration"
	ClientCallDuration = "rpc.client.call.duration"
)

// Scope is the name of our instrumentation scope.
const Scope = "github.com/vitals-go/vitals/otel"

const (
	systemName = attribute.Key("rpc.system.name")
	method     = attribute.Key("rpc.method")
	statusCode = attribute.Key("rpc.status_code")
	errorType  = attribute.Key("error.type")
	// candidateStatusCode is what the release candidates of the conventions called the status code, and what the Go
	// instrumentations of their time emit. It goes beside the stable key, so that dashboards of either kind work; a
	// second name for the same value makes no second series.
	candidateStatusCode = attribute.Key("rpc.response.status_code")
)

// codeNames are the status codes as the conventions spell them.
var codeNames = [interceptor.NumCodes]string{
	"OK", "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND", "ALREADY_EXISTS",
	"PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION", "ABORTED", "OUT_OF_RANGE", "UNIMPLEMENTED",
	"INTERNAL", "UNAVAILABLE", "DATA_LOSS", "UNAUTHENTICATED",
}

// Side is whose calls are counted.
type Side bool

// The sides.
const (
	Server Side = false
	Client Side = true
)

// Name is what the series of a method are told apart by.
type Name struct {
	// Method is the full name, without the leading slash.
	Method string
	// Operation marks work that is no gRPC call.
	Operation bool
}

// NameOf returns the name of a method. Those that the recorder counts together are _OTHER. More than one method may have
// the same name: _OTHER for unary calls and for streams, and any that was called before its service was registered.
func NameOf(m *interceptor.Method) Name {
	operation := m.Type == interceptor.Other
	if m.Service == "other" && m.Name == "other" {
		return Name{"_OTHER", operation}
	}
	return Name{strings.ToValidUTF8(m.Service+"/"+m.Name, "\uFFFD"), operation}
}

// attributes returns those of all series of a method. The system of an operation is "other".
func (n Name) attributes(more ...attribute.KeyValue) []attribute.KeyValue {
	system := "grpc"
	if n.Operation {
		system = "other"
	}
	return append([]attribute.KeyValue{systemName.String(system), method.String(n.Method)}, more...)
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

// Method returns the attributes of all calls of a method.
func Method(name Name) attribute.Set {
	return attribute.NewSet(name.attributes()...)
}

// Calls returns the attributes of a method's calls that ended with code. Every code but OK is an error for the client;
// for the server only those that are its own fault.
func Calls(side Side, name Name, code codes.Code) attribute.Set {
	word := codeNames[code]
	all := name.attributes(statusCode.String(word), candidateStatusCode.String(word))
	if code != codes.OK && (side == Client || interceptor.IsFailure(code)) {
		all = append(all, errorType.String(word))
	}
	return attribute.NewSet(all...)
}
