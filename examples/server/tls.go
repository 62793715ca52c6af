package main

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"os"
	"sync"
	"time"
)

// serverTLS returns the server's side of TLS, or nil if none is wanted. The files are read again when they change, so
// that a certificate can be renewed under a running server.
func serverTLS(err *mistakes) *tls.Config {
	files := pair{cert: variable("INVENTORY_TLS_CERT", ""), key: variable("INVENTORY_TLS_KEY", "")}
	authority := variable("INVENTORY_TLS_CLIENT_CA", "")
	if files.cert == "" && files.key == "" && authority == "" {
		return nil
	}
	certErr, keyErr := readable(files.cert), readable(files.key)
	err.add("INVENTORY_TLS_CERT", certErr)
	err.add("INVENTORY_TLS_KEY", keyErr)
	if certErr == nil && keyErr == nil {
		_, bad := files.load()
		err.add("INVENTORY_TLS_CERT and INVENTORY_TLS_KEY", bad)
	}
	cfg := &tls.Config{
		MinVersion: tls.VersionTLS12,
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
			return files.load()
		},
		GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			return files.load()
		},
	}
	if authority != "" {
		pool, bad := readAuthority(authority)
		err.add("INVENTORY_TLS_CLIENT_CA", bad)
		cfg.ClientCAs, cfg.ClientAuth = pool, tls.RequireAndVerifyClientCert
	}
	return cfg
}

func readable(file string) error {
	if file == "" {
		return errors.New("is required for TLS")
	}
	_, err := os.ReadFile(file)
	return err
}

// upstreamTLS returns our side of TLS to the upstream, or nil if none is wanted.
func upstreamTLS(err *mistakes, own *tls.Config) *tls.Config {
	authority := variable("UPSTREAM_TLS_CA", "")
	if authority == "" {
		return nil
	}
	pool, bad := readAuthority(authority)
	err.add("UPSTREAM_TLS_CA", bad)
	cfg := &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: pool}
	if own != nil {
		cfg.GetClientCertificate = own.GetClientCertificate
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

// pair is a certificate and its key in files.
type pair struct {
	cert, key string

	mu     sync.Mutex // guards what follows
	loaded *tls.Certificate
	read   time.Time // the newer modification time of the files that loaded is from
}

// load returns what the files hold. When they cannot be read, or do not fit together because they are just being
// replaced, the last good pair stays in use.
func (p *pair) load() (*tls.Certificate, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	newest := modified(p.cert, p.key)
	if p.loaded != nil && newest.Equal(p.read) {
		return p.loaded, nil
	}
	fresh, err := tls.LoadX509KeyPair(p.cert, p.key)
	switch {
	case err == nil:
		p.loaded, p.read = &fresh, newest
	case p.loaded == nil:
		return nil, err
	}
	return p.loaded, nil
}

func modified(files ...string) (newest time.Time) {
	for _, file := range files {
		if info, err := os.Stat(file); err == nil && info.ModTime().After(newest) {
			newest = info.ModTime()
		}
	}
	return newest
}
