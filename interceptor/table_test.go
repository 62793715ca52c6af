package interceptor_test

import (
	"context"
	"fmt"
	"math"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/vitals-go/vitals/interceptor"
	"github.com/vitals-go/vitals/internal/logtest"
)

var shop = services{
	"shop.v1.Orders": {Methods: []grpc.MethodInfo{
		{Name: "Get"},
		{Name: "Put", IsClientStream: true},
		{Name: "Follow", IsServerStream: true},
		{Name: "Talk", IsClientStream: true, IsServerStream: true},
	}},
	"grpc.health.v1.Health": {Methods: []grpc.MethodInfo{{Name: "Check"}, {Name: "Watch", IsServerStream: true}}},
}

func TestNewRejectsWindowsThatCannotBeKept(t *testing.T) {
	for _, window := range []time.Duration{-1, 1, time.Millisecond, math.MaxInt64} {
		if _, err := interceptor.New(interceptor.Config{Window: window}); err == nil || !strings.Contains(err.Error(), "Window") {
			t.Errorf("Window %v: error %v, want one that names Window", window, err)
		}
	}
}

func TestWindowAloneIsValid(t *testing.T) {
	for _, window := range []time.Duration{10 * time.Millisecond, 10*time.Millisecond + 7, 10 * time.Second, time.Hour, 7 * time.Hour} {
		synctest.Test(t, func(t *testing.T) {
			rec := newRecorder(t, interceptor.Config{Window: window})
			time.Sleep(3 * window)
			_ = unary(t.Context(), rec, "/a.B/C", okHandler)
			if w := rec.Server().Window; w.Requests != 1 || w.Span > window+12 || w.Span < window*11/12-12 {
				t.Errorf("Window %v: got %d requests in %v, want one in at most that", window, w.Requests, w.Span)
			}
			time.Sleep(window + 12)
			if w := rec.Server().Window; w.Requests != 0 {
				t.Errorf("Window %v: got %d requests after it, want none", window, w.Requests)
			}
		})
	}
}

func TestRegisterFillsTheTable(t *testing.T) {
	rec := newRecorder(t, interceptor.Config{})
	rec.Register(shop)
	var got []string
	for _, m := range rec.Server().Methods {
		got = append(got, fmt.Sprintf("%s/%s %s %d", m.Service, m.Name, m.Type, m.Total.Started))
	}
	want := "[shop.v1.Orders/Follow server_stream 0 shop.v1.Orders/Get unary 0" +
		" shop.v1.Orders/Put client_stream 0 shop.v1.Orders/Talk bidi_stream 0]"
	if fmt.Sprint(got) != want {
		t.Errorf("methods %v, want %v", got, want)
	}
	if n := len(rec.Client().Methods); n != 0 {
		t.Errorf("the client side has %d methods", n)
	}
}

func TestUnregisteredNamesShareOneEntry(t *testing.T) {
	rec := newRecorder(t, interceptor.Config{})
	_ = unary(t.Context(), rec, "/early.Bird/Get", okHandler)
	rec.Register(shop)
	for _, name := range []string{"/early.Bird/Get", "/no.Such/Get", "shop.v1.Orders/Get", "x", "", "/", "//"} {
		_ = unary(t.Context(), rec, name, okHandler)
	}
	_ = unary(t.Context(), rec, "/shop.v1.Orders/Get", okHandler)
	snap := rec.Server()
	if n := method(t, snap, "other", "other").Total.Handled; n != 7 {
		t.Errorf("other handled %d, want 7", n)
	}
	if n := method(t, snap, "shop.v1.Orders", "Get").Total.Handled; n != 1 {
		t.Errorf("Get handled %d, want 1", n)
	}
	if n := method(t, snap, "early.Bird", "Get").Total.Handled; n != 1 {
		t.Errorf("what was counted before Register is %d, want 1", n)
	}
	if snap.Total.Handled != 9 {
		t.Errorf("total %d, want 9", snap.Total.Handled)
	}
}

// A name that is the beginning of another one may have the same address.
func TestNamesAreFoundByAddressAndLength(t *testing.T) {
	rec := newRecorder(t, interceptor.Config{})
	long := "/shop.v1.Orders/GetAll"
	for range 2 {
		_ = unary(t.Context(), rec, long, okHandler)
		_ = unary(t.Context(), rec, long[:len(long)-3], okHandler)
	}
	for _, name := range []string{"Get", "GetAll"} {
		if m := method(t, rec.Server(), "shop.v1.Orders", name); m.Total.Handled != 2 {
			t.Errorf("%s: %d calls, want 2", name, m.Total.Handled)
		}
	}
}

// What a constant stood for before Register it may not stand for afterwards.
func TestRegisterAppliesToNamesInUse(t *testing.T) {
	rec := newRecorder(t, interceptor.Config{})
	const name = "/no.Such/Get"
	_ = unary(t.Context(), rec, name, okHandler)
	_ = unary(t.Context(), rec, name, okHandler)
	rec.Register(shop)
	_ = unary(t.Context(), rec, name, okHandler)
	_ = unary(t.Context(), rec, name, okHandler)
	s := rec.Server()
	if before, after := method(t, s, "no.Such", "Get").Total.Handled, method(t, s, "other", "other").Total.Handled; before != 2 || after != 2 {
		t.Errorf("%d calls before Register and %d as other, want 2 and 2", before, after)
	}
}

func TestManyNamesAreKeptApart(t *testing.T) {
	rec := newRecorder(t, interceptor.Config{})
	names := make([]string, 200)
	for i := range names {
		names[i] = fmt.Sprintf("/shop.v1.Orders/Method%d", i)
	}
	for range 3 {
		for _, name := range names {
			_ = unary(t.Context(), rec, name, okHandler)
		}
	}
	for i := range names {
		if m := method(t, rec.Server(), "shop.v1.Orders", fmt.Sprintf("Method%d", i)); m.Total.Handled != 3 {
			t.Errorf("%s: %d calls, want 3", m.Name, m.Total.Handled)
		}
	}
}

func TestRegisterTwiceKeepsBothServers(t *testing.T) {
	rec := newRecorder(t, interceptor.Config{})
	rec.Register(shop)
	_ = unary(t.Context(), rec, "/shop.v1.Orders/Get", okHandler)
	rec.Register(services{"admin.v1.Admin": {Methods: []grpc.MethodInfo{{Name: "Kick"}}}})
	_ = unary(t.Context(), rec, "/shop.v1.Orders/Get", okHandler)
	_ = unary(t.Context(), rec, "/admin.v1.Admin/Kick", okHandler)
	if n := method(t, rec.Server(), "shop.v1.Orders", "Get").Total.Handled; n != 2 {
		t.Errorf("Get handled %d, want 2", n)
	}
	if n := method(t, rec.Server(), "admin.v1.Admin", "Kick").Total.Handled; n != 1 {
		t.Errorf("Kick handled %d, want 1", n)
	}
}

// Two rows of one name would be the same series twice, and no scrape of it would succeed.
func TestNameHasOneMethod(t *testing.T) {
	rec := newRecorder(t, interceptor.Config{MaxMethods: 4})
	names := []string{"/shop.v1.Orders/Get", "shop.v1.Orders/Get", "/other/other", "/a.B/C"}
	for _, name := range names {
		_ = unary(t.Context(), rec, name, okHandler)
		_ = rec.UnaryClientInterceptor(t.Context(), name, nil, nil, nil,
			func(context.Context, string, any, any, *grpc.ClientConn, ...grpc.CallOption) error { return nil })
	}
	_ = unary(t.Context(), rec, "/one.Too/Many", okHandler)
	rec.Register(services{"admin.v1.Admin": {Methods: []grpc.MethodInfo{{Name: "Kick"}}}})
	rec.Register(shop) // shut out in between
	rec.Register(services{"other": {Methods: []grpc.MethodInfo{{Name: "other"}}}})
	for _, name := range names {
		_ = unary(t.Context(), rec, name, okHandler)
	}
	for side, snap := range map[string]*interceptor.Snapshot{"server": rec.Server(), "client": rec.Client()} {
		rows := map[string]uint64{}
		for _, m := range snap.Methods {
			row := fmt.Sprintf("%s/%s %s", m.Service, m.Name, m.Type)
			if _, twice := rows[row]; twice {
				t.Errorf("%s: %s has two rows", side, row)
			}
			rows[row] = m.Total.Handled
		}
		want := map[string]uint64{"server": 3, "client": 2}[side]
		if n := rows["shop.v1.Orders/Get unary"]; n != want {
			t.Errorf("%s: Get handled %d, want %d", side, n, want)
		}
	}
}

func TestUnimplementedIsAFailureOfRegisteredMethodsOnly(t *testing.T) {
	unimplemented := status.Error(codes.Unimplemented, "x")
	handler := func(context.Context, any) (any, error) { return nil, unimplemented }
	rec := newRecorder(t, interceptor.Config{})
	rec.Register(shop)
	_ = unary(t.Context(), rec, "/shop.v1.Orders/Get", handler)
	_ = unary(t.Context(), rec, "/no.Such/Get", handler)
	// An UnknownServiceHandler is called without a service, also before Register.
	before := newRecorder(t, interceptor.Config{})
	_ = before.StreamServerInterceptor(nil, idleStream{ctx: t.Context()}, &grpc.StreamServerInfo{FullMethod: "/no.Such/Get"},
		func(any, grpc.ServerStream) error { return unimplemented })
	if s := rec.Server().Total; s.ByCode(codes.Unimplemented) != 2 || s.Failures != 1 {
		t.Errorf("%d Unimplemented, %d failures, want 2 and 1", s.ByCode(codes.Unimplemented), s.Failures)
	}
	if s := before.Server().Total; s.ByCode(codes.Unimplemented) != 1 || s.Failures != 0 {
		t.Errorf("%d Unimplemented, %d failures, want 1 and 0", s.ByCode(codes.Unimplemented), s.Failures)
	}
}

func TestInfrastructureIsNotCounted(t *testing.T) {
	names := []string{
		"/grpc.health.v1.Health/Check", "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
		"/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
		"/vitals.v1.HealthReportService/GetHealthReport",
	}
	for _, registered := range []bool{false, true} {
		rec := newRecorder(t, interceptor.Config{})
		if registered {
			rec.Register(shop)
		}
		for _, name := range names {
			if !interceptor.IsInfrastructure(name) {
				t.Errorf("%s is not infrastructure", name)
			}
			_ = unary(t.Context(), rec, name, okHandler)
		}
		if n := rec.Server().Total.Started; n != 0 {
			t.Errorf("registered %v: %d calls counted, want 0", registered, n)
		}
	}
}

func TestSkipReplacesTheDefault(t *testing.T) {
	type key struct{}
	rec := newRecorder(t, interceptor.Config{
		Skip: func(ctx context.Context, fullMethod string) bool {
			return ctx.Value(key{}) != nil || fullMethod == "/shop.v1.Orders/Get"
		},
	})
	rec.Register(shop)
	for _, m := range rec.Server().Methods {
		if m.Service == "grpc.health.v1.Health" {
			t.Error("health is listed though it was never counted")
		}
	}
	_ = unary(context.WithValue(t.Context(), key{}, true), rec, "/grpc.health.v1.Health/Check", okHandler)
	_ = unary(t.Context(), rec, "/shop.v1.Orders/Get", okHandler)
	_ = unary(t.Context(), rec, "/grpc.health.v1.Health/Check", okHandler)
	if n := rec.Server().Total.Started; n != 1 {
		t.Errorf("%d calls counted, want 1", n)
	}
	if n := method(t, rec.Server(), "grpc.health.v1.Health", "Check").Total.Handled; n != 1 {
		t.Errorf("Check handled %d, want 1", n)
	}
}

func TestDynamicNamesAreBounded(t *testing.T) {
	var log logtest.Log
	logger, flush := log.Logger()
	rec := newRecorder(t, interceptor.Config{MaxMethods: 3, Logger: logger})
	for i := range 10 {
		for _, name := range []string{fmt.Sprintf("/a.B/M%d", i), "/a.B/\xff\n", "/a.B/" + strings.Repeat("x", 300)} {
			_ = unary(t.Context(), rec, name, okHandler)
		}
	}
	snap := rec.Server()
	if len(snap.Methods) != 4 || method(t, snap, "other", "other").Total.Handled != 27 {
		t.Errorf("%d methods, other %d, want 3 and other with 27 calls",
			len(snap.Methods), method(t, snap, "other", "other").Total.Handled)
	}
	flush()
	if n := strings.Count(log.String(), "\n"); n != 1 || !strings.Contains(log.String(), "max_methods=3") {
		t.Errorf("log %q, want one line", log.String())
	}
	none := newRecorder(t, interceptor.Config{MaxMethods: -1})
	_ = unary(t.Context(), none, "/a.B/C", okHandler)
	if got := none.Server().Methods; len(got) != 1 || got[0].Service != "other" {
		t.Errorf("methods %v, want other alone", got)
	}
}

func TestUnknownNamesMakeNoEntries(t *testing.T) {
	const window = 24 * time.Hour // one slot, however slow the machine is
	closed := newRecorder(t, interceptor.Config{Window: window})
	closed.Register(shop)
	full := newRecorder(t, interceptor.Config{Window: window, MaxMethods: 10})
	for i := range 10 {
		_ = unary(t.Context(), full, fmt.Sprintf("/a.B/M%d", i), okHandler)
	}
	for name, rec := range map[string]*interceptor.Recorder{"closed": closed, "full": full} {
		ctx, info := t.Context(), &grpc.UnaryServerInfo{}
		methods := len(rec.Server().Methods)
		buffer := []byte("/no.Such/Method0000000")
		before := heap()
		for i := range 1_000_000 {
			info.FullMethod = string(fmt.Appendf(buffer[:15], "%07d", i))
			_, _ = rec.UnaryServerInterceptor(ctx, nil, info, okHandler)
		}
		if grown := heap() - before; grown > 16<<10 {
			t.Errorf("%s: the heap grew by %d bytes", name, grown)
		}
		if n := len(rec.Server().Methods) - methods; n != 1 {
			t.Errorf("%s: %d methods more, want other alone", name, n)
		}
		if n := method(t, rec.Server(), "other", "other").Total.Handled; n != 1_000_000 {
			t.Errorf("%s: other handled %d, want a million", name, n)
		}
	}
}

func TestIdleMethodIsSmall(t *testing.T) {
	const methods = 2000
	var info grpc.ServiceInfo
	for i := range methods {
		info.Methods = append(info.Methods, grpc.MethodInfo{Name: fmt.Sprintf("Method%d", i)})
	}
	rec := newRecorder(t, interceptor.Config{})
	before := heap()
	rec.Register(services{"shop.v1.Orders": info})
	if size := (heap() - before) / methods; size > 2<<10 {
		t.Errorf("an idle method takes %d bytes, want 2048 at most", size)
	}
	runtime.KeepAlive(rec)
}

// heap returns the bytes in use after a collection.
func heap() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

func TestSkipOfNothingCountsUnregisteredInfrastructure(t *testing.T) {
	rec := newRecorder(t, interceptor.Config{
		Skip: func(context.Context, string) bool { return false },
	})
	_ = unary(t.Context(), rec, "/grpc.health.v1.Health/Check", okHandler)
	if n := rec.Server().Total.Handled; n != 1 {
		t.Errorf("handled %d, want 1", n)
	}
}

func TestInfrastructureServices(t *testing.T) {
	for service, want := range map[string]bool{
		"grpc.health.v1.Health":              true,
		"vitals.v1.HealthReportService":      true,
		"AWS.ALB":                            true,
		"xds.service.orca.v3.OpenRcaService": true,
		"plugin.GRPCStdio":                   true, // a stream as long as the plugin's life
		"plugin.GRPCBroker":                  true,
		"plugin.GRPCController":              true,
		"plugin.kv.v1.Store":                 false,
		"shop.v1.Orders":                     false,
		"":                                   false,
		"grpc.health.v1.HealthImpostor":      false,
		"grpc.reflection.v1.ServerMirror":    false,
	} {
		if got := interceptor.IsInfrastructure("/" + service + "/Method"); got != want {
			t.Errorf("%q is infrastructure: %v, want %v", service, got, want)
		}
	}
}

func TestLongestMethodName(t *testing.T) {
	for more, want := range []string{"C", "other"} {
		rec := newRecorder(t, interceptor.Config{})
		_ = unary(t.Context(), rec, "/"+strings.Repeat("a", 253+more)+"/C", takes(0, nil)) // 256 bytes and more
		for _, m := range rec.Server().Methods {
			if m.Total.Handled == 1 && m.Name != want {
				t.Errorf("%d bytes: counted as %s, want %s", 256+more, m.Name, want)
			}
		}
	}
}
