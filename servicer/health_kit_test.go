package servicer_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"math/big"
	"net"
	"path/filepath"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/grpc/test/bufconn"

	"github.com/vitals-go/vitals/servicer"
)

const (
	serving        = healthpb.HealthCheckResponse_SERVING
	notServing     = healthpb.HealthCheckResponse_NOT_SERVING
	serviceUnknown = healthpb.HealthCheckResponse_SERVICE_UNKNOWN
)

type (
	servingStatus = healthpb.HealthCheckResponse_ServingStatus
	watchClient   = grpc.ServerStreamingClient[healthpb.HealthCheckResponse]
)

// link is how a client and a server meet.
type link struct {
	lis         net.Listener
	server      credentials.TransportCredentials
	client      credentials.TransportCredentials
	target      string
	dialOptions []grpc.DialOption
}

func overMemory(*testing.T) link {
	lis := bufconn.Listen(1 << 16)
	dial := grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return lis.DialContext(ctx) })
	return link{lis, insecure.NewCredentials(), insecure.NewCredentials(), "passthrough:///memory", []grpc.DialOption{dial}}
}

func overTCP(t *testing.T) link {
	lis := listen(t, "tcp", "127.0.0.1:0")
	return link{lis, insecure.NewCredentials(), insecure.NewCredentials(), lis.Addr().String(), nil}
}

func overUnix(t *testing.T) link {
	path := filepath.Join(t.TempDir(), "grpc.sock")
	return link{listen(t, "unix", path), insecure.NewCredentials(), insecure.NewCredentials(), "unix://" + path, nil}
}

func overTLS(t *testing.T) link {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), DNSNames: []string{"vitals.test"}, NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(certificate)
	lis := listen(t, "tcp", "127.0.0.1:0")
	own := tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
	return link{
		lis, credentials.NewServerTLSFromCert(&own), credentials.NewClientTLSFromCert(roots, "vitals.test"),
		lis.Addr().String(), nil,
	}
}

func listen(t *testing.T, network, address string) net.Listener {
	t.Helper()
	lis, err := net.Listen(network, address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = lis.Close() })
	return lis
}

func (l link) newServer(options ...grpc.ServerOption) *grpc.Server {
	return grpc.NewServer(append(options, grpc.Creds(l.server))...)
}

// dial returns a new connection; the caller closes it.
func (l link) dial(t *testing.T, options ...grpc.DialOption) *grpc.ClientConn {
	t.Helper()
	options = append(options, grpc.WithTransportCredentials(l.client))
	client, err := grpc.NewClient(l.target, append(options, l.dialOptions...)...)
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// newServer returns a Server of cfg.
func newServer(t testing.TB, cfg servicer.Config) *servicer.Server {
	t.Helper()
	s, err := servicer.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func watch(t *testing.T, ctx context.Context, client *grpc.ClientConn, name string) watchClient {
	t.Helper()
	stream, err := healthpb.NewHealthClient(client).Watch(ctx, &healthpb.HealthCheckRequest{Service: name})
	if err != nil {
		t.Fatalf("Watch(%q): %v", name, err)
	}
	return stream
}

func expectStatus(t *testing.T, stream watchClient, want servingStatus) {
	t.Helper()
	response, err := stream.Recv()
	if err != nil {
		t.Fatalf("the watch ended with %v, want %v", err, want)
	}
	if response.Status != want {
		t.Fatalf("the watch got %v, want %v", response.Status, want)
	}
}

func expectEnd(t *testing.T, stream watchClient, want codes.Code) {
	t.Helper()
	response, err := stream.Recv()
	if status.Code(err) != want {
		t.Fatalf("the watch got %v, %v; want its end with %v", response.GetStatus(), err, want)
	}
}

func expectCheck(t *testing.T, ctx context.Context, client *grpc.ClientConn, name string, want servingStatus) {
	t.Helper()
	response, err := healthpb.NewHealthClient(client).Check(ctx, &healthpb.HealthCheckRequest{Service: name})
	if err != nil || response.Status != want {
		t.Fatalf("Check(%q) = %v, %v; want %v", name, response.GetStatus(), err, want)
	}
}

// fakeStream is the server's end of a Watch without a network. What is sent goes to send.
type fakeStream struct {
	grpc.ServerStream
	ctx  context.Context
	send func(servingStatus) error
}

func (f *fakeStream) Context() context.Context                   { return f.ctx }
func (f *fakeStream) SetHeader(metadata.MD) error                { return nil }
func (f *fakeStream) SendHeader(metadata.MD) error               { return nil }
func (f *fakeStream) Send(r *healthpb.HealthCheckResponse) error { return f.send(r.Status) }
