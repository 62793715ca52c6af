// Package pki loads certificates from files that may change, and reads those of peers.
package pki

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/vitals-go/vitals/internal/asynclog"
	"github.com/vitals-go/vitals/internal/safefile"
)

const (
	reloadInterval = time.Second // minimum between two checks of the files
	maxFile        = 1 << 20     // bytes
)

// Files is a server's TLS certificate, key and optional client authorities in PEM files, reloaded when they change. It is
// safe for concurrent use.
type Files struct {
	cert, key, authority string
	log                  *asynclog.Logger
	loaded               atomic.Pointer[content]

	mu       sync.Mutex // guards the fields below; held by one handshake during a reload, others use the previous content
	infos    [3]fs.FileInfo
	checked  time.Time
	reported string // the error that has been logged
}

// content is one consistent state of the files. It is immutable.
type content struct {
	certificate *tls.Certificate
	authorities *x509.CertPool // nil without a file of authorities
}

// The errors of Open wrap one of these for each file.
var (
	ErrCert      = errors.New("certificate")
	ErrKey       = errors.New("key")
	ErrAuthority = errors.New("authority")
)

// Open loads the files; authority may be empty. Relative paths are relative to the working directory at the time of Open.
// The error joins all mistakes. log receives reloads, failed ones too, and a certificate outside its validity period, but no
// content; nil discards.
func Open(cert, key, authority string, log *slog.Logger) (*Files, error) {
	f := &Files{
		cert: safefile.Abs(cert), key: safefile.Abs(key), authority: safefile.Abs(authority), log: asynclog.New(log), checked: time.Now(),
	}
	f.infos = f.stat()
	fresh, err := f.load()
	if err != nil {
		return nil, err
	}
	f.loaded.Store(fresh)
	// No error, which would turn a restart into an outage: a kubelet does not verify certificates.
	if leaf, now := fresh.certificate.Leaf, time.Now(); now.Before(leaf.NotBefore) || now.After(leaf.NotAfter) {
		f.log.Log(slog.LevelWarn, "TLS certificate expired or not yet valid",
			slog.String("certificate", cert), slog.Time("not_before", leaf.NotBefore), slog.Time("not_after", leaf.NotAfter))
	}
	return f, nil
}

// Config returns a configuration with the newest valid certificate. With a file of authorities it requests client
// certificates as auth says. It offers HTTP/2 and HTTP/1.1 over TLS 1.2 or newer.
func (f *Files) Config(auth tls.ClientAuthType) *tls.Config {
	base := &tls.Config{
		MinVersion: tls.VersionTLS12,
		NextProtos: []string{"h2", "http/1.1"},
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
			return f.content().certificate, nil
		},
	}
	if f.authority == "" {
		return base
	}
	first := f.content().authorities
	base.ClientAuth, base.ClientCAs = auth, first
	// A resumed session would skip the verification of the client certificate.
	base.SessionTicketsDisabled = true
	base.GetConfigForClient = func(*tls.ClientHelloInfo) (*tls.Config, error) {
		now := f.content().authorities
		if now == first {
			return nil, nil // keeps base
		}
		fresh := base.Clone()
		fresh.GetConfigForClient, fresh.ClientCAs = nil, now
		return fresh, nil
	}
	return base
}

// content returns the current content, after a reload if one is due.
func (f *Files) content() *content {
	if f.mu.TryLock() {
		f.reload()
		f.mu.Unlock()
	}
	return f.loaded.Load()
}

// reload loads the files if it is due and one has changed. It keeps the previous content while the files are inconsistent,
// as in the middle of a replacement.
func (f *Files) reload() {
	now := time.Now()
	if now.Sub(f.checked) < reloadInterval {
		return
	}
	f.checked = now
	infos := f.stat()
	same := func(i int) bool { return safefile.Same(infos[i], f.infos[i]) }
	if same(0) && same(1) && (f.authority == "" || same(2)) {
		return
	}
	fresh, err := f.load()
	if err != nil {
		if err.Error() != f.reported {
			f.log.Log(slog.LevelError, "TLS reload failed, keeping the previous certificate", slog.String("error", err.Error()))
		}
		f.reported = err.Error()
		return
	}
	f.reported, f.infos = "", infos
	f.loaded.Store(fresh)
	f.log.Log(slog.LevelInfo, "TLS certificate reloaded",
		slog.String("certificate", f.cert), slog.Time("not_after", fresh.certificate.Leaf.NotAfter))
}

func (f *Files) stat() (infos [3]fs.FileInfo) {
	for i, path := range []string{f.cert, f.key, f.authority} {
		infos[i], _ = os.Stat(path)
	}
	return infos
}

func (f *Files) load() (*content, error) {
	cert, certErr := read(ErrCert, f.cert)
	key, keyErr := read(ErrKey, f.key)
	authorities, authorityErr := loadAuthorities(f.authority)
	var pair tls.Certificate
	if certErr == nil && keyErr == nil {
		if pair, certErr = tls.X509KeyPair(cert, key); certErr != nil {
			certErr = fmt.Errorf("%w %s with key %s: %w", ErrCert, f.cert, f.key, certErr)
		}
	}
	return &content{&pair, authorities}, errors.Join(certErr, keyErr, authorityErr)
}

func loadAuthorities(path string) (*x509.CertPool, error) {
	if path == "" {
		return nil, nil
	}
	text, err := read(ErrAuthority, path)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("%w: %s: no certificate in PEM format", ErrAuthority, path)
	}
	return pool, nil
}

func read(which error, path string) ([]byte, error) {
	if path == "" {
		return nil, fmt.Errorf("%w is required for TLS", which)
	}
	body, _, err := safefile.Read(path, maxFile)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", which, err)
	}
	return body, nil
}

// Verified returns the peer's leaf certificate in tls.ConnectionState.VerifiedChains, nil if none has been verified.
func Verified(chains [][]*x509.Certificate) *x509.Certificate {
	if len(chains) == 0 || len(chains[0]) == 0 {
		return nil
	}
	return chains[0][0]
}
