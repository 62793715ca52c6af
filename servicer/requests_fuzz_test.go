package servicer

import (
	"context"
	"errors"
	"net"
	"runtime"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"
	"google.golang.org/grpc/test/bufconn"
	"google.golang.org/protobuf/proto"

	"github.com/vitals-go/vitals/checker"
	"github.com/vitals-go/vitals/servicer/vitalspb"
)

// planted is what no answer may hold.
const planted = "hunter2"

// wire passes bytes as they are in both directions, so that a request may be what no generated code would write.
type wire struct{}

func (wire) Marshal(v any) ([]byte, error)      { return *v.(*[]byte), nil }
func (wire) Unmarshal(data []byte, v any) error { *v.(*[]byte) = data; return nil }
func (wire) Name() string                       { return "proto" }

// besieged is a servicer behind two real servers: one on which it is registered, and one of a framework, which has
// its own health service, so that the interceptors answer.
type besieged struct {
	*Server
	clients [2]*grpc.ClientConn
}

func newBesieged(f *testing.F) *besieged {
	s, err := New(Config{Services: []string{"shop.v1.Orders"}, Details: Details{Policy: DetailsNever}})
	if err != nil {
		f.Fatal(err)
	}
	database := result("database", checker.Critical, checker.ReasonError, checker.Readiness)
	database.Value, database.Err = "unavailable", errors.New("postgres://app:"+planted+"@db")
	s.update(func(in *inputs) { in.checks = lasting(database) })
	s.SetServingStatus("plugin", serving)
	theirs := health.NewServer()
	theirs.SetServingStatus("theirs", serving)
	registered, foreign := grpc.NewServer(), grpc.NewServer(
		grpc.ChainUnaryInterceptor(s.UnaryHealthInterceptor), grpc.ChainStreamInterceptor(s.StreamHealthInterceptor))
	s.Register(registered)
	healthpb.RegisterHealthServer(foreign, theirs)
	s.RegisterReports(foreign)
	b := &besieged{Server: s}
	for i, server := range []*grpc.Server{registered, foreign} {
		lis := bufconn.Listen(1 << 16)
		go func() { _ = server.Serve(lis) }()
		client, err := grpc.NewClient("passthrough:///memory", grpc.WithTransportCredentials(insecure.NewCredentials()),
			grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return lis.DialContext(ctx) }))
		if err != nil {
			f.Fatal(err)
		}
		b.clients[i] = client
		f.Cleanup(func() {
			client.Close()
			server.Stop()
		})
	}
	return b
}

// unary makes one call with the bytes as the request.
func (b *besieged) unary(t *testing.T, client *grpc.ClientConn, method string, request []byte) ([]byte, error) {
	t.Helper()
	var answer []byte
	err := client.Invoke(t.Context(), method, &request, &answer, grpc.ForceCodec(wire{}))
	b.mustBeSilent(t, method, answer, err)
	return answer, err
}

// first opens a stream with the bytes as the request, returns its first message and leaves.
func (b *besieged) first(t *testing.T, client *grpc.ClientConn, method string, request []byte) ([]byte, error) {
	t.Helper()
	ctx, leave := context.WithCancel(t.Context())
	defer leave()
	stream, err := client.NewStream(ctx, &grpc.StreamDesc{ServerStreams: true}, method, grpc.ForceCodec(wire{}))
	if err != nil {
		return nil, err
	}
	_ = stream.SendMsg(&request) // an error shows in RecvMsg
	_ = stream.CloseSend()
	var answer []byte
	err = stream.RecvMsg(&answer)
	b.mustBeSilent(t, method, answer, err)
	return answer, err
}

func (b *besieged) mustBeSilent(t *testing.T, method string, answer []byte, err error) {
	t.Helper()
	if strings.Contains(string(answer), planted) || strings.Contains(status.Convert(err).Message(), planted) {
		t.Errorf("%s shows the secret: %q, %v", method, answer, err)
	}
}

// forgotten waits until the server keeps nothing of the streams that have been left.
func (b *besieged) forgotten(t *testing.T) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); b.watches.Len() != 0 || b.streams.Len() != 0; runtime.Gosched() {
		if time.Now().After(deadline) {
			t.Fatalf("%d watches and %d report streams are kept", b.watches.Len(), b.streams.Len())
		}
	}
}

// FuzzRequests sends arbitrary bytes as the request of every health and report method, through a server on which the
// servicer is registered and through one where its interceptors replace another service.
func FuzzRequests(f *testing.F) {
	b := newBesieged(f)
	for _, name := range []string{
		"", "liveness", "readiness", "database", "plugin", "theirs", "shop.v1.Orders", "nobody", "\x00", "a\nb", planted,
		strings.Repeat("n", maxWatchedName), strings.Repeat("n", maxWatchedName+1), strings.Repeat("é", 40_000),
	} {
		request, err := proto.Marshal(&healthpb.HealthCheckRequest{Service: name})
		if err != nil {
			f.Fatal(err)
		}
		f.Add(request)
	}
	for _, raw := range []string{
		"\x0a", "\x0a\x01\xff", "\x0a\x05abc", "\x08\x01", "\x12\x00\x0a\x00", "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", "\x0b\x0c",
		"\x08\x01\x11\x00\x00\x00\x00\x00\x00\xf8\x7f", "\x0a\x04away\x0a\x08database",
	} {
		f.Add([]byte(raw))
	}
	f.Fuzz(func(t *testing.T, request []byte) {
		for _, client := range b.clients {
			b.checkAndWatch(t, client, request)
			b.askReports(t, client, request)
		}
		b.forgotten(t)
		if n := b.statuses.Len(); n != 7 { // "", 3 probes, the service, the check, plugin
			t.Fatalf("%d names are known", n)
		}
	})
}

// checkAndWatch compares Check, Watch and List with what the protocol says about the name in the request.
func (b *besieged) checkAndWatch(t *testing.T, client *grpc.ClientConn, request []byte) {
	var asked healthpb.HealthCheckRequest
	readable := proto.Unmarshal(request, &asked) == nil
	states := map[string]servingStatus{
		"": notServing, "liveness": serving, "readiness": notServing, "startup": serving, "database": notServing,
		"plugin": notServing, "shop.v1.Orders": notServing,
	}
	state, known := states[asked.GetService()]
	checkCode, watchCode, watched := codes.OK, codes.OK, state
	switch {
	case !readable:
		checkCode, watchCode = codes.Internal, codes.Internal
	case !known:
		checkCode, watched = codes.NotFound, healthpb.HealthCheckResponse_SERVICE_UNKNOWN
		if len(asked.GetService()) > maxWatchedName {
			watchCode = codes.InvalidArgument
		}
	}
	answer, err := b.unary(t, client, healthpb.Health_Check_FullMethodName, request)
	expectAnswer(t, "Check", answer, err, checkCode, state)
	answer, err = b.first(t, client, healthpb.Health_Watch_FullMethodName, request)
	expectAnswer(t, "Watch", answer, err, watchCode, watched)

	answer, err = b.unary(t, client, healthpb.Health_List_FullMethodName, request)
	if want := readableAs(request, new(healthpb.HealthListRequest)); status.Code(err) != want {
		t.Fatalf("List of %q = %v, want %v", request, err, want)
	}
	if err != nil {
		return
	}
	var list healthpb.HealthListResponse
	for _, probe := range []string{"liveness", "readiness", "startup"} { // not listed without sources
		delete(states, probe)
	}
	if err := proto.Unmarshal(answer, &list); err != nil || len(list.Statuses) != len(states) {
		t.Fatalf("List = %v, %v", &list, err)
	}
	for name, want := range states {
		if got := list.Statuses[name].GetStatus(); got != want {
			t.Fatalf("List says %v about %q, want %v", got, name, want)
		}
	}
}

func expectAnswer(t *testing.T, method string, answer []byte, err error, code codes.Code, want servingStatus) {
	t.Helper()
	if status.Code(err) != code {
		t.Fatalf("%s ends with %v, want %v", method, err, code)
	}
	if text := status.Convert(err).Message(); !utf8.ValidString(text) || len(text) > 256 {
		t.Errorf("%s ends with %d bytes of text", method, len(text))
	}
	var got healthpb.HealthCheckResponse
	if err == nil && (proto.Unmarshal(answer, &got) != nil || got.Status != want) {
		t.Fatalf("%s = %v, want %v", method, &got, want)
	}
}

// askReports compares both report methods with what they must say, whatever the request asks for.
func (b *besieged) askReports(t *testing.T, client *grpc.ClientConn, request []byte) {
	answer, err := b.unary(t, client, vitalspb.HealthReportService_GetHealthReport_FullMethodName, request)
	expectReport(t, answer, err, readableAs(request, new(vitalspb.HealthReportRequest)))
	answer, err = b.first(t, client, vitalspb.HealthReportService_WatchHealthReport_FullMethodName, request)
	expectReport(t, answer, err, readableAs(request, new(vitalspb.WatchHealthReportRequest)))

	var asked vitalspb.WatchHealthReportRequest
	if proto.Unmarshal(request, &asked) == nil {
		if d := interval(&asked); d < minReportInterval || d > maxReportInterval {
			t.Fatalf("the client's interval of %v s is taken for %v", asked.GetMinIntervalSeconds(), d)
		}
	}
}

func expectReport(t *testing.T, answer []byte, err error, want codes.Code) {
	t.Helper()
	if status.Code(err) != want {
		t.Fatalf("the report ends with %v, want %v", err, want)
	}
	if err != nil {
		return
	}
	var report vitalspb.HealthReportResponse
	if err := proto.Unmarshal(answer, &report); err != nil {
		t.Fatal(err)
	}
	m := report.Metrics["dependency_database"]
	if report.OverallStatus != "critical" || m.GetValue() != "unavailable" || m.GetDetail() != "" || len(report.Names) != 7 {
		t.Fatalf("the report says %v", &report)
	}
}

// readableAs is how gRPC must answer bytes that are to be a message of this type.
func readableAs(request []byte, message proto.Message) codes.Code {
	if proto.Unmarshal(request, message) != nil {
		return codes.Internal
	}
	return codes.OK
}
