package healthcheck

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/connectivity"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/encoding/gzip"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/vitals-go/vitals/probes/internal/target"
)

// probeGRPC calls grpc.health.v1 Check.
func (o *options) probeGRPC(ctx context.Context) result {
	start := time.Now()
	conn, err := o.dial()
	if err != nil {
		return result{code: exitArguments, text: "error: " + err.Error()}
	}
	defer conn.Close()
	if err := o.connect(ctx, conn); err != nil {
		return result{code: exitConnection, text: fmt.Sprintf("no connection to %q: %v", o.addr, err)}
	}
	connected := time.Now()
	answer, err := o.check(ctx, conn)
	switch code := status.Code(err); {
	case code == codes.Unimplemented:
		text := "the server does not implement grpc.health.v1.Health: " + status.Convert(err).Message()
		return result{code: exitRPC, text: text}
	case code == codes.DeadlineExceeded:
		return result{code: exitRPC, text: fmt.Sprintf("no response within %v", o.rpcTimeout)}
	case err != nil:
		return result{code: exitRPC, text: "health rpc failed: " + err.Error()}
	case answer.GetStatus() != healthpb.HealthCheckResponse_SERVING:
		return result{code: exitNotServing, text: "not serving: " + answer.GetStatus().String()}
	}
	return result{
		text:    "status: " + answer.GetStatus().String(),
		elapsed: fmt.Sprintf("connect %v, rpc %v", connected.Sub(start), time.Since(connected)),
	}
}

// dial returns a connection that is not connected yet. Its errors are invalid arguments.
func (o *options) dial() (*grpc.ClientConn, error) {
	name, host, err := target.Parse(o.addr)
	if err != nil {
		return nil, fmt.Errorf("-addr: %w", err)
	}
	creds := insecure.NewCredentials()
	if o.tls {
		config, err := o.tlsConfig(host)
		if err != nil {
			return nil, err
		}
		creds = credentials.NewTLS(config)
	}
	return grpc.NewClient(name,
		grpc.WithTransportCredentials(creds),
		grpc.WithUserAgent(o.userAgent),
		grpc.WithNoProxy(),
		// Retries are up to the program that runs the probe.
		grpc.WithDisableServiceConfig(),
		grpc.WithDisableRetry(),
	)
}

// connect waits for the connection. It fails at the first refusal: the cause is more useful than a timeout.
func (o *options) connect(ctx context.Context, conn *grpc.ClientConn) error {
	ctx, cancel := context.WithTimeout(ctx, o.connectTimeout)
	defer cancel()
	conn.Connect()
	for {
		state := conn.GetState()
		switch state {
		case connectivity.Ready:
			return nil
		case connectivity.TransientFailure:
			// A call fails at once and returns the cause.
			_, err := o.check(ctx, conn)
			return errors.New(status.Convert(err).Message())
		}
		if !conn.WaitForStateChange(ctx, state) {
			return fmt.Errorf("not connected within %v", o.connectTimeout)
		}
	}
}

func (o *options) check(ctx context.Context, conn *grpc.ClientConn) (*healthpb.HealthCheckResponse, error) {
	ctx, cancel := context.WithTimeout(ctx, o.rpcTimeout)
	defer cancel()
	ctx = metadata.NewOutgoingContext(ctx, o.headers)
	var options []grpc.CallOption
	if o.gzip {
		options = append(options, grpc.UseCompressor(gzip.Name))
	}
	return healthpb.NewHealthClient(conn).Check(ctx, &healthpb.HealthCheckRequest{Service: o.service}, options...)
}

// tlsConfig loads the files of the flags, for a connection to host. Its errors are invalid arguments.
func (o *options) tlsConfig(host string) (*tls.Config, error) {
	serverName := o.serverName
	if ip, _, found := strings.Cut(host, "%"); found && serverName == "" {
		serverName = ip // certificates have no zones
	}
	config := &tls.Config{
		MinVersion:         tls.VersionTLS12,
		ServerName:         serverName,
		InsecureSkipVerify: o.noVerify, // by -tls-no-verify
	}
	if o.clientCert != "" {
		pair, err := tls.LoadX509KeyPair(o.clientCert, o.clientKey)
		if err != nil {
			return nil, fmt.Errorf("-tls-client-cert: %w", err)
		}
		config.Certificates = []tls.Certificate{pair}
	}
	if o.caCert != "" {
		pem, err := os.ReadFile(o.caCert)
		if err != nil {
			return nil, fmt.Errorf("-tls-ca-cert: %w", err)
		}
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("-tls-ca-cert: no certificate in %s", o.caCert)
		}
	}
	return config, nil
}
