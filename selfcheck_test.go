package vitals_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"log/slog"
	"math/big"
	"strings"
	"testing"
	"testing/synctest"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	testpb "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/status"
	"google.golang.org/grpc/tap"
	"google.golang.org/grpc/test/bufconn"

	"github.com/vitals-go/vitals"
	"github.com/vitals-go/vitals/internal/logtest"
)

var errNoToken = status.Error(codes.Unauthenticated, "no token")

func rejectUnary(context.Context, any, *grpc.UnaryServerInfo, grpc.UnaryHandler) (any, error) {
	return nil, errNoToken
}

func rejectStream(any, grpc.ServerStream, *grpc.StreamServerInfo, grpc.StreamHandler) error {
	return errNoToken
}

func passUnary(ctx context.Context, request any, _ *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
	return handler(ctx, request)
}

func passElsewhere(ctx context.Context, request any, _ *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (response any, err error) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		response, err = handler(ctx, request)
	}()
	<-done
	return response, err
}

func passStream(service any, stream grpc.ServerStream, _ *grpc.StreamServerInfo, handler grpc.StreamHandler) error {
	return handler(service, stream)
}

// servedLog serves a server with options made from h, in a bubble, until it is idle, and returns the log.
func servedLog(t *testing.T, options func(h *vitals.Health) []grpc.ServerOption) string {
	t.Helper()
	var log logtest.Log
	synctest.Test(t, func(t *testing.T) {
		h := newHealth(t, vitals.Config{Resources: unjudged(), Logger: slog.New(slog.NewTextHandler(&log, nil)), DrainDelay: -1})
		ctx, stop := context.WithCancel(t.Context())
		served := make(chan error, 1)
		server := grpc.NewServer(options(h)...)
		testpb.RegisterTestServiceServer(server, echo{})
		go func() { served <- h.Serve(ctx, server, bufconn.Listen(1<<16)) }()
		synctest.Wait()
		stop()
		if err := <-served; err != nil {
			t.Error(err)
		}
		if n := h.Recorder().Server().Total.Handled; n != 0 {
			t.Errorf("%d calls recorded, want none", n)
		}
		if probers := h.Report().Probers; len(probers) > 0 {
			t.Errorf("the server probes itself: %+v", probers)
		}
	})
	return log.String()
}

func TestServeWarnsOfWhatRunsBeforeServerOptions(t *testing.T) {
	const (
		rejected = "health checks without credentials are rejected"
		before   = "interceptors run before ServerOptions"
		without  = "server has no ServerOptions"
	)
	certificate := selfSigned(t)
	secure := func(clients tls.ClientAuthType) grpc.ServerOption {
		return grpc.Creds(credentials.NewTLS(&tls.Config{Certificates: []tls.Certificate{certificate}, ClientAuth: clients}))
	}
	plain := func(extra ...grpc.ServerOption) func(*vitals.Health) []grpc.ServerOption {
		return func(h *vitals.Health) []grpc.ServerOption { return append(h.ServerOptions(), extra...) }
	}
	for name, test := range map[string]struct {
		options func(*vitals.Health) []grpc.ServerOption
		want    []string // all parts of one warning; none for no warning
	}{
		"ServerOptions alone": {plain(), nil},
		"interceptors after them": {
			plain(grpc.ChainUnaryInterceptor(rejectUnary), grpc.ChainStreamInterceptor(rejectStream)), nil,
		},
		"UnaryInterceptor that rejects": {
			plain(grpc.UnaryInterceptor(rejectUnary)), []string{rejected, "FirstServerOptions", "/grpc.health.v1.Health/Check", "code=16", "no token"},
		},
		"StreamInterceptor that rejects": {
			plain(grpc.StreamInterceptor(rejectStream)), []string{rejected, "/grpc.health.v1.Health/Watch", "no token"},
		},
		"InTapHandle that rejects": {
			plain(grpc.InTapHandle(func(ctx context.Context, _ *tap.Info) (context.Context, error) { return ctx, errNoToken })),
			[]string{rejected, "no token"},
		},
		"chained before them, rejects": {
			func(h *vitals.Health) []grpc.ServerOption {
				return append([]grpc.ServerOption{grpc.ChainUnaryInterceptor(rejectUnary)}, h.ServerOptions()...)
			}, []string{rejected},
		},
		"UnaryInterceptor that accepts": {plain(grpc.UnaryInterceptor(passUnary)), []string{before, "vitals_test.passUnary"}},
		"UnaryInterceptor that accepts, in another goroutine": {
			plain(grpc.UnaryInterceptor(passElsewhere)), []string{before, "vitals_test.passElsewhere"},
		},
		"StreamInterceptor that accepts": {plain(grpc.StreamInterceptor(passStream)), []string{before, "vitals_test.passStream"}},
		"without ServerOptions":          {func(*vitals.Health) []grpc.ServerOption { return nil }, []string{without}},
		"without ServerOptions, rejects": {
			func(*vitals.Health) []grpc.ServerOption {
				return []grpc.ServerOption{grpc.ChainUnaryInterceptor(rejectUnary)}
			}, []string{rejected},
		},
		"TLS":                                 {plain(secure(tls.NoClientCert)), nil},
		"TLS, UnaryInterceptor that rejects":  {plain(secure(tls.NoClientCert), grpc.UnaryInterceptor(rejectUnary)), []string{rejected}},
		"client certificates, cannot be told": {plain(secure(tls.RequireAnyClientCert), grpc.UnaryInterceptor(rejectUnary)), nil},
		"FirstServerOptions after a chain that rejects": {
			func(h *vitals.Health) []grpc.ServerOption {
				return append([]grpc.ServerOption{grpc.ChainUnaryInterceptor(rejectUnary), grpc.ChainStreamInterceptor(rejectStream)},
					h.FirstServerOptions()...)
			}, nil,
		},
	} {
		t.Run(name, func(t *testing.T) {
			log := servedLog(t, test.options)
			if got, want := strings.Count(log, "level=WARN"), min(1, len(test.want)); got != want {
				t.Errorf("%d warnings, want %d:\n%s", got, want, log)
			}
			for _, part := range test.want {
				if !strings.Contains(log, part) {
					t.Errorf("log lacks %q:\n%s", part, log)
				}
			}
		})
	}
}

func selfSigned(t *testing.T) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}
