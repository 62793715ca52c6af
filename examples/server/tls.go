package main

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"log/slog"
	"os"
	"strings"

	"github.com/vitals-go/vitals"
)

// serverTLS returns the server's side of TLS, or nil if none is wanted. The files are read again when they change, so
// that a certificate can be renewed under a running server.
func serverTLS(err *mistakes) *tls.Config {
	files := vitals.TLSFiles{
		Cert:     variable("INVENTORY_TLS_CERT", ""),
		Key:      variable("INVENTORY_TLS_KEY", ""),
		ClientCA: variable("INVENTORY_TLS_CLIENT_CA", ""),
	}
	if files == (vitals.TLSFiles{}) {
		return nil
	}
	cfg, bad := files.ServerConfig(slog.Default())
	if bad != nil { // the error names fields; users of this program set variables
		err.join(errors.New(strings.NewReplacer(
			"vitals: TLSFiles.Cert:", "INVENTORY_TLS_CERT:",
			"vitals: TLSFiles.Key:", "INVENTORY_TLS_KEY:",
			"vitals: TLSFiles.ClientCA:", "INVENTORY_TLS_CLIENT_CA:",
		).Replace(bad.Error())))
	}
	return cfg
}

// upstreamTLS returns the TLS configuration for the upstream, or nil for plaintext. The client certificate is the
// server's own certificate.
func upstreamTLS(err *mistakes, own *tls.Config) *tls.Config {
	authority := variable("UPSTREAM_TLS_CA", "")
	if authority == "" {
		return nil
	}
	pool, bad := readAuthority(authority)
	err.add("UPSTREAM_TLS_CA", bad)
	cfg := &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: pool}
	if own != nil {
		cfg.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			return own.GetCertificate(&tls.ClientHelloInfo{})
		}
	}
	return cfg
}

func readAuthority(file string) (*x509.CertPool, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		return nil, errors.New("holds no certificate in PEM form")
	}
	return pool, nil
}
