package semconv_test

import (
	"strconv"
	"sync"
	"testing"

	"go.opentelemetry.io/otel/attribute"
	"google.golang.org/grpc/codes"

	"github.com/vitals-go/vitals/interceptor"
	"github.com/vitals-go/vitals/otel/internal/semconv"
)

func text(set attribute.Set, key attribute.Key) string {
	value, _ := set.Value(key)
	return value.AsString()
}

// The names are those that gRPC reads from JSON.
func TestCodesHaveGRPCsNames(t *testing.T) {
	for want := range codes.Code(interceptor.NumCodes) {
		name := text(semconv.Calls(semconv.Server, semconv.Name{Method: "a.B/C"}, want), "rpc.status_code")
		var got codes.Code
		if err := got.UnmarshalJSON([]byte(strconv.Quote(name))); err != nil || got != want {
			t.Errorf("code %d is called %q, which is %d (%v)", want, name, got, err)
		}
	}
}

func TestErrorTypeIsSetForFailures(t *testing.T) {
	ours := map[codes.Code]bool{
		codes.Unknown: true, codes.DeadlineExceeded: true, codes.Unimplemented: true, codes.Internal: true,
		codes.Unavailable: true, codes.DataLoss: true,
	}
	for code := range codes.Code(interceptor.NumCodes) {
		for side, want := range map[semconv.Side]bool{semconv.Server: ours[code], semconv.Client: code != codes.OK} {
			set := semconv.Calls(side, semconv.Name{Method: "a.B/C"}, code)
			kind := ""
			if want {
				kind = text(set, "rpc.status_code")
			}
			if got := text(set, "error.type"); got != kind || set.HasValue("error.type") != want {
				t.Errorf("client %v, %v: error.type %q, want %q", side, code, got, kind)
			}
		}
	}
}

func TestByNameGroupsMethods(t *testing.T) {
	methods := []interceptor.Method{
		{Service: "a.B", Name: "C"},
		{Service: "a.B", Name: "D"},
		{Service: "a.B", Name: "D"},
		{Service: "other", Name: "other"},
		{Service: "other", Name: "other"},
		{Service: "other", Name: "other", Type: interceptor.Other},
	}
	var got []string
	for name, same := range semconv.ByName(methods) {
		got = append(got, name.Method+strconv.Itoa(len(same)))
	}
	want := []string{"a.B/C1", "a.B/D2", "_OTHER2", "_OTHER1"}
	for i := range max(len(got), len(want)) {
		if i >= len(got) || i >= len(want) || got[i] != want[i] {
			t.Fatalf("%q, want %q", got, want)
		}
	}
	for name := range semconv.ByName(methods) {
		if name.Method != "a.B/C" {
			t.Errorf("%v after the loop was left", name)
		}
		break
	}
}

func TestCacheReturnsTheSetOfItsKey(t *testing.T) {
	var cache semconv.Cache
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			for code := range codes.Code(interceptor.NumCodes) {
				for _, name := range []semconv.Name{{Method: "a.B/C"}, {Method: "a.B/D"}, {Method: "a.B/D", Operation: true}} {
					got, want := cache.Calls(semconv.Client, name, code), semconv.Calls(semconv.Client, name, code)
					if !got.Equals(&want) {
						t.Errorf("%v %v: %v", name, code, got.ToSlice())
					}
				}
			}
		})
	}
	group.Wait()
	got, want := cache.Method(semconv.Name{Method: "a.B/C"}), semconv.Method(semconv.Name{Method: "a.B/C"})
	if !got.Equals(&want) {
		t.Errorf("%v", got.ToSlice())
	}
	if n := testing.AllocsPerRun(100, func() { cache.Calls(semconv.Client, semconv.Name{Method: "a.B/C"}, codes.Internal) }); n > 1 {
		t.Errorf("a cached set costs %v allocations", n)
	}
}
