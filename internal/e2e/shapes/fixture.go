package shapes

import (
	"context"
	"log/slog"
	"net"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	testpb "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/status"

	"github.com/vitals-go/vitals"
	"github.com/vitals-go/vitals/checker"
	"github.com/vitals-go/vitals/internal/logtest"
)

// ServiceName is the service of a Fixture.
const ServiceName = "grpc.testing.TestService"

// Token is the credential of calls of the service, in the metadata "authorization".
const Token = "Bearer token"

// Secret is the value of panics. No caller may see it.
const Secret = "secret of the panic"

// Fixture is what a shape serves: a Health and a service.
type Fixture struct {
	Health  *vitals.Health
	Service testpb.TestServiceServer
	Log     *logtest.Log
	Logger  *slog.Logger

	service *service
}

// New returns a Fixture with a short drain delay.
func New(t *testing.T, change ...func(*vitals.Config)) *Fixture {
	t.Helper()
	f := &Fixture{Log: new(logtest.Log), service: &service{inFlight: make(chan struct{}), release: make(chan struct{})}}
	f.Service, f.Logger = f.service, slog.New(slog.NewTextHandler(f.Log, nil))
	cfg := vitals.Config{
		DrainDelay: 200 * time.Millisecond, Logger: f.Logger,
		Checks: []checker.Check{{Name: "stock", Gates: []string{ServiceName}, Run: func(context.Context) error { return nil }}},
	}
	for _, c := range change {
		c(&cfg)
	}
	var err error
	if f.Health, err = vitals.New(cfg); err != nil {
		t.Fatal(err)
	}
	return f
}

// service ends calls as their request says.
type service struct {
	testpb.UnimplementedTestServiceServer

	inFlight, release chan struct{}
	once              sync.Once
}

func (*service) EmptyCall(context.Context, *testpb.Empty) (*testpb.Empty, error) {
	return &testpb.Empty{}, nil
}

// UnaryCall panics or fails with the code of the request. A request for a response of 1 byte waits for the release.
func (s *service) UnaryCall(_ context.Context, r *testpb.SimpleRequest) (*testpb.SimpleResponse, error) {
	switch code := codes.Code(r.GetResponseStatus().GetCode()); {
	case code == codes.Aborted:
		panic(Secret)
	case code != codes.OK:
		return nil, status.Error(code, "as requested")
	}
	if r.ResponseSize == 1 {
		s.once.Do(func() { close(s.inFlight) })
		<-s.release
	}
	return &testpb.SimpleResponse{}, nil
}

// StreamingOutputCall sends a message, or panics if one of 1 byte is requested.
func (*service) StreamingOutputCall(r *testpb.StreamingOutputCallRequest, stream testpb.TestService_StreamingOutputCallServer) error {
	if len(r.ResponseParameters) == 1 {
		panic(Secret)
	}
	return stream.Send(&testpb.StreamingOutputCallResponse{})
}

// Listen returns a TCP listener on loopback.
func Listen(t *testing.T) net.Listener {
	t.Helper()
	lis, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return lis
}
