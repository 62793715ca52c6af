// Package pkitest makes certificates for tests: for loopback, valid for an hour, signed by an authority of the test.
package pkitest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// Authority signs certificates and writes them to files.
type Authority struct {
	// Folder holds the files, File is the authority's own certificate.
	Folder, File string
	Pool         *x509.CertPool

	cert   *x509.Certificate
	key    *ecdsa.PrivateKey
	serial int64
}

// New returns an authority with a new folder.
func New(t testing.TB) *Authority {
	t.Helper()
	a := &Authority{Folder: t.TempDir(), Pool: x509.NewCertPool()}
	a.File = filepath.Join(a.Folder, "ca.crt")
	now := time.Now()
	a.cert, a.key = a.sign(t, "ca", now.Add(-time.Hour), now.Add(time.Hour))
	a.Pool.AddCert(a.cert)
	return a
}

// Issue writes <name>.crt and <name>.key, replacing existing ones, and returns their paths.
func (a *Authority) Issue(t testing.TB, name string) (cert, key string) {
	t.Helper()
	return a.IssueUntil(t, name, time.Now().Add(time.Hour))
}

// IssueUntil is Issue with an expiry time.
func (a *Authority) IssueUntil(t testing.TB, name string, end time.Time) (cert, key string) {
	t.Helper()
	a.sign(t, name, time.Now().Add(-time.Hour), end)
	return filepath.Join(a.Folder, name+".crt"), filepath.Join(a.Folder, name+".key")
}

// Client returns a client configuration that trusts the authority and presents a new certificate called name, none if name
// is empty.
func (a *Authority) Client(t testing.TB, name string) *tls.Config {
	t.Helper()
	cfg := &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: a.Pool}
	if name != "" {
		cert, key := a.Issue(t, name)
		pair, err := tls.LoadX509KeyPair(cert, key)
		if err != nil {
			t.Fatal(err)
		}
		// Presented regardless of the authorities that the server requests.
		cfg.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &pair, nil }
	}
	return cfg
}

func (a *Authority) sign(t testing.TB, name string, begin, end time.Time) (*x509.Certificate, *ecdsa.PrivateKey) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	a.serial++
	template := &x509.Certificate{
		SerialNumber: big.NewInt(a.serial), Subject: pkix.Name{CommonName: name}, DNSNames: []string{"localhost"},
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback}, NotBefore: begin, NotAfter: end,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, IsCA: a.cert == nil, BasicConstraintsValid: true,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	parent, signer := a.cert, a.key
	if parent == nil {
		parent, signer = template, key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), signer)
	if err != nil {
		t.Fatal(err)
	}
	secret, keyErr := x509.MarshalPKCS8PrivateKey(key)
	cert, err := x509.ParseCertificate(der)
	if err := errors.Join(keyErr, err); err != nil {
		t.Fatal(err)
	}
	a.write(t, name+".key", "PRIVATE KEY", secret)
	a.write(t, name+".crt", "CERTIFICATE", der)
	return cert, key
}

// write replaces a file atomically.
func (a *Authority) write(t testing.TB, name, kind string, der []byte) {
	t.Helper()
	path := filepath.Join(a.Folder, name)
	if err := os.WriteFile(path+".new", pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		t.Fatal(err)
	}
}
