package main_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"

	"github.com/vitals-go/vitals/internal/e2e/testdeps"
)

// authority signs certificates for loopback and keeps them in files.
type authority struct {
	folder string
	cert   *x509.Certificate
	key    *ecdsa.PrivateKey
	pool   *x509.CertPool
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	a := &authority{folder: t.TempDir(), pool: x509.NewCertPool()}
	a.cert, a.key = a.issue(t, "authority", nil, nil)
	a.pool.AddCert(a.cert)
	return a
}

// issue writes <name>.crt and <name>.key.
func (a *authority) issue(t *testing.T, name string, parent *x509.Certificate, signer *ecdsa.PrivateKey) (*x509.Certificate, *ecdsa.PrivateKey) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()),
		Subject:      pkix.Name{CommonName: name},
		NotBefore:    time.Now().Add(-time.Hour),
		NotAfter:     time.Now().Add(time.Hour),
		IPAddresses:  []net.IP{net.IPv4(127, 0, 0, 1)},
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
		IsCA:         parent == nil, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	}
	if parent == nil {
		parent, signer = template, key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), signer)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	writePEM(t, a.file(name+".crt"), "CERTIFICATE", der)
	writePEM(t, a.file(name+".key"), "PRIVATE KEY", secret)
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return cert, key
}

func (a *authority) file(name string) string { return filepath.Join(a.folder, name) }

func (a *authority) credentials(t *testing.T, name string) credentials.TransportCredentials {
	t.Helper()
	cfg := &tls.Config{RootCAs: a.pool}
	if name != "" {
		pair, err := tls.LoadX509KeyPair(a.file(name+".crt"), a.file(name+".key"))
		if err != nil {
			t.Fatal(err)
		}
		cfg.Certificates = []tls.Certificate{pair}
	}
	return credentials.NewTLS(cfg)
}

func writePEM(t *testing.T, file, kind string, der []byte) {
	t.Helper()
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestMutualTLS(t *testing.T) {
	t.Parallel()
	a := newAuthority(t)
	a.issue(t, "server", a.cert, a.key)
	a.issue(t, "client", a.cert, a.key)
	s := startWith(t, a.credentials(t, "client"),
		"INVENTORY_TLS_CERT="+a.file("server.crt"),
		"INVENTORY_TLS_KEY="+a.file("server.key"),
		"INVENTORY_TLS_CLIENT_CA="+a.file("authority.crt"))
	s.becomes("", serving)

	stranger, err := grpc.NewClient(s.addr, grpc.WithTransportCredentials(a.credentials(t, "")))
	if err != nil {
		t.Fatal(err)
	}
	defer stranger.Close()
	_, err = healthpb.NewHealthClient(stranger).Check(call(t), &healthpb.HealthCheckRequest{})
	if status.Code(err) != codes.Unavailable {
		t.Errorf("without a certificate: %v, want no connection", err)
	}

	// The server's own certificate opens the upstream's door.
	second := startWith(t, a.credentials(t, "client"),
		"INVENTORY_TLS_CERT="+a.file("client.crt"), "INVENTORY_TLS_KEY="+a.file("client.key"),
		"UPSTREAM_ADDR="+s.addr, "UPSTREAM_TLS_CA="+a.file("authority.crt"))
	second.metric("dependency_upstream", "available", "healthy")
}

// TestRenewedCertificate replaces the certificate under a running server.
func TestRenewedCertificate(t *testing.T) {
	t.Parallel()
	a := newAuthority(t)
	a.issue(t, "server", a.cert, a.key)
	s := startWith(t, a.credentials(t, ""),
		"INVENTORY_TLS_CERT="+a.file("server.crt"), "INVENTORY_TLS_KEY="+a.file("server.key"))
	s.becomes("", serving)
	renewed, _ := a.issue(t, "server", a.cert, a.key)
	testdeps.Eventually(t, patience, func() error {
		conn, err := tls.Dial("tcp", s.addr, &tls.Config{RootCAs: a.pool, NextProtos: []string{"h2"}})
		if err != nil {
			return err
		}
		defer conn.Close()
		if got := conn.ConnectionState().PeerCertificates[0]; got.SerialNumber.Cmp(renewed.SerialNumber) != 0 {
			return os.ErrDeadlineExceeded
		}
		return nil
	})
}
