package promvitals_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"runtime"
	"strings"
	"sync"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/grpc/test/bufconn"
	"google.golang.org/protobuf/types/known/emptypb"

	"github.com/vitals-go/vitals/interceptor"
	"github.com/vitals-go/vitals/probes/promvitals"
)

// rpcPage is the part of a page about calls, and the heap in use after it.
func rpcPage(t *testing.T, recorder *interceptor.Recorder) (page string, heap uint64) {
	t.Helper()
	page = scrape(t, collector(t, promvitals.Config{Recorder: recorder}))
	runtime.GC()
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return page, stats.HeapAlloc
}

// barely is more than noise and far less than a page of strangers' names.
const barely = 2 << 20

func TestMillionUnknownMethodsAddNoSeries(t *testing.T) {
	recorder := traffic(t, map[codes.Code]int{codes.OK: 1})
	stream := &unusedStream{ctx: t.Context()}
	call := func(name string) {
		_ = recorder.StreamServerInterceptor(nil, stream, &grpc.StreamServerInfo{FullMethod: name, IsClientStream: true, IsServerStream: true},
			func(any, grpc.ServerStream) error { return status.Error(codes.Unimplemented, "") })
	}
	for _, odd := range []string{"", "/", "//", "no slash", "/a", "/\xff\xfe/\x00", "/shop.v1.Orders/Place\n", "shop.v1.Orders/Place", `/"/\`} {
		call(odd)
	}
	before, heap := rpcPage(t, recorder)
	const strangers = 1_000_000
	for i := range strangers {
		call(fmt.Sprintf("/scan.S%d/M", i))
	}
	after, grown := rpcPage(t, recorder)
	if got, want := strings.Count(after, "\n"), strings.Count(before, "\n"); got != want {
		t.Errorf("the page grew from %d to %d lines", want, got)
	}
	if !strings.Contains(after, fmt.Sprintf(`grpc_server_handled_total{grpc_code="Unimplemented",grpc_method="other",grpc_service="other",grpc_type="bidi_stream"} %v`, float64(strangers+9))) {
		t.Error("the strangers were not counted together")
	}
	if grown > heap+barely {
		t.Errorf("the heap grew from %d to %d bytes", heap, grown)
	}
}

// unusedStream is a stream without messages.
type unusedStream struct {
	grpc.ServerStream
	ctx context.Context
}

func (d *unusedStream) Context() context.Context { return d.ctx }

// TestScannerAddsNoSeries scans a real server, with and without a handler for unknown services.
func TestScannerAddsNoSeries(t *testing.T) {
	strangers := 20_000
	if testing.Short() || underRace {
		strangers = 5_000
	}
	recorder := traffic(t, map[codes.Code]int{codes.OK: 1})
	refuse := grpc.UnknownServiceHandler(func(any, grpc.ServerStream) error { return status.Error(codes.Unimplemented, "") })
	for name, options := range map[string][]grpc.ServerOption{"refused by gRPC": nil, "refused by a handler": {refuse}} {
		conn := dial(t, grpc.NewServer(append(recorder.ServerOptions(), options...)...))
		scan(t, conn, "warm", 100)
		before, heap := rpcPage(t, recorder)
		scan(t, conn, name[len(name)-4:], strangers/2)
		after, grown := rpcPage(t, recorder)
		if got, want := strings.Count(after, "\n"), strings.Count(before, "\n"); got != want {
			t.Errorf("%s: the page grew from %d to %d lines", name, want, got)
		}
		if grown > heap+2*barely { // the transport's buffers are in it
			t.Errorf("%s: the heap grew from %d to %d bytes", name, heap, grown)
		}
	}
}

func dial(t *testing.T, server *grpc.Server) *grpc.ClientConn {
	t.Helper()
	lis := bufconn.Listen(1 << 20)
	go func() { _ = server.Serve(lis) }()
	t.Cleanup(server.Stop)
	conn, err := grpc.NewClient("passthrough:bufconn", grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return lis.DialContext(ctx) }))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// scan calls n methods that do not exist, each once.
func scan(t *testing.T, conn *grpc.ClientConn, prefix string, n int) {
	t.Helper()
	const workers = 16
	var wg sync.WaitGroup
	for worker := range workers {
		wg.Go(func() {
			for i := worker; i < n; i += workers {
				err := conn.Invoke(t.Context(), fmt.Sprintf("/scan.%s.S%d/M%d", strings.TrimSpace(prefix), i, i), &emptypb.Empty{}, &emptypb.Empty{})
				if status.Code(err) != codes.Unimplemented {
					t.Errorf("call %d: %v", i, err)
					return
				}
			}
		})
	}
	wg.Wait()
}

func TestRegisteredMethodsWithInvalidNamesAreExported(t *testing.T) {
	recorder, err := interceptor.New(interceptor.Config{})
	if err != nil {
		t.Fatal(err)
	}
	odd := []string{`quo"te`, `back\slash`, "new\nline", "tab\t", "zero\x00", "bad\xff", "bad\xfe", "Größe"}
	var methods []grpc.MethodInfo
	for _, name := range odd {
		methods = append(methods, grpc.MethodInfo{Name: name})
	}
	recorder.Register(services{"odd": {Methods: methods}})
	for _, name := range odd {
		_, _ = recorder.UnaryServerInterceptor(metadata.NewIncomingContext(t.Context(), nil), nil, &grpc.UnaryServerInfo{FullMethod: "/odd/" + name},
			func(context.Context, any) (any, error) { return nil, errors.New("any") })
	}
	page := scrape(t, collector(t, promvitals.Config{Recorder: recorder}))
	for _, want := range []string{`quo\"te`, `back\\slash`, `new\nline`, "tab\t", "zero\x00", `bad\\xff`, `bad\\xfe`, "Größe"} {
		line := `grpc_server_handled_total{grpc_code="Unknown",grpc_method="` + want + `",grpc_service="odd",grpc_type="unary"} 1` + "\n"
		if !strings.Contains(page, line) {
			t.Errorf("missing: %s", line)
		}
	}
}
