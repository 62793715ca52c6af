package pki

import (
	"context"
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

	"github.com/vitals-go/vitals/internal/safefile"
)

const (
	// recheck is the least time between two looks at the files.
	recheck = time.Second
	// maxFile bounds what is read of each, in bytes.
	maxFile = 1 << 20
)

// Files are the server's side of TLS in PEM files that may be replaced under a running process. Create it with Open.
type Files struct {
	cert, key, authority string
	log                  *slog.Logger
	kept                 atomic.Pointer[content]

	mu      sync.Mutex // guards what follows; held while files are read, by one handshake: others do not wait
	seen    [3]fs.FileInfo
	looked  time.Time
	trouble string // what has been logged
}

// content is what the files said when they were last good, all of them together. It never changes.
type content struct {
	certificate *tls.Certificate
	authorities *x509.CertPool // nil without a file of authorities
}

// Errors of Open say by these which file they mean.
var (
	ErrCert      = errors.New("certificate")
	ErrKey       = errors.New("key")
	ErrAuthority = errors.New("authority")
)

// Open reads the files; authority may be empty. Each mistake is its own error, joined to the others, and wraps ErrCert,
// ErrKey or ErrAuthority. log hears of files that are read again, of those that are no longer good, and of a certificate
// that is not in force; it is never told what is in them.
func Open(cert, key, authority string, log *slog.Logger) (*Files, error) {
	f := &Files{cert: cert, key: key, authority: authority, log: log, looked: time.Now()}
	seen := f.look()
	fresh, err := f.read()
	if err != nil {
		return nil, err
	}
	f.kept.Store(fresh)
	f.seen = seen
	f.warn(fresh.certificate.Leaf)
	return f, nil
}

// Config returns a configuration that always shows the newest good certificate, and asks clients for theirs as auth says
// if there is a file of authorities. Protocols are those of HTTP/2 and HTTP/1.1; TLS 1.2 is the least.
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
	// A session that is taken up again would bring a certificate along that has been verified long ago.
	base.SessionTicketsDisabled = true
	base.GetConfigForClient = func(*tls.ClientHelloInfo) (*tls.Config, error) {
		now := f.content().authorities
		if now == first {
			return nil, nil // crypto/tls goes on with the configuration that it has
		}
		fresh := base.Clone()
		fresh.GetConfigForClient, fresh.ClientCAs = nil, now
		return fresh, nil
	}
	return base
}

// content returns what is in force.
func (f *Files) content() *content {
	if f.mu.TryLock() {
		lines := f.refresh()
		f.mu.Unlock()
		for _, l := range lines {
			f.log.LogAttrs(context.Background(), l.level, l.text, l.attrs...)
		}
	}
	return f.kept.Load()
}

type logLine struct {
	level slog.Level
	text  string
	attrs []slog.Attr
}

// refresh reads the files if it is time and one of them has changed. While they are not good, because they are just being
// replaced or because of a mistake, what was read before stays in force.
func (f *Files) refresh() []logLine {
	now := time.Now()
	if now.Sub(f.looked) < recheck {
		return nil
	}
	f.looked = now
	seen := f.look()
	if safefile.Same(seen[0], f.seen[0]) && safefile.Same(seen[1], f.seen[1]) && (f.authority == "" || safefile.Same(seen[2], f.seen[2])) {
		return nil
	}
	fresh, err := f.read()
	if err != nil {
		if err.Error() == f.trouble {
			return nil
		}
		f.trouble = err.Error()
		return []logLine{{slog.LevelError, "TLS files cannot be used, what was read before stays in force", []slog.Attr{
			slog.String("error", f.trouble),
		}}}
	}
	f.trouble, f.seen = "", seen
	f.kept.Store(fresh)
	leaf := fresh.certificate.Leaf
	return []logLine{{slog.LevelInfo, "TLS files were read again", []slog.Attr{
		slog.String("certificate", f.cert), slog.Time("not_after", leaf.NotAfter),
	}}}
}

func (f *Files) look() (seen [3]fs.FileInfo) {
	for i, path := range []string{f.cert, f.key, f.authority} {
		if info, err := os.Stat(path); err == nil {
			seen[i] = info
		}
	}
	return seen
}

func (f *Files) read() (*content, error) {
	cert, certErr := file(ErrCert, f.cert)
	key, keyErr := file(ErrKey, f.key)
	var fresh content
	var authorityErr error
	if f.authority != "" {
		fresh.authorities, authorityErr = readAuthority(f.authority)
	}
	if err := errors.Join(certErr, keyErr, authorityErr); certErr != nil || keyErr != nil {
		return nil, err
	}
	pair, err := tls.X509KeyPair(cert, key)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%w %s with key %s: %w", ErrCert, f.cert, f.key, err), authorityErr)
	}
	fresh.certificate = &pair
	return &fresh, authorityErr
}

func readAuthority(path string) (*x509.CertPool, error) {
	text, err := file(ErrAuthority, path)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("%w: %s holds no certificate in PEM form", ErrAuthority, path)
	}
	return pool, nil
}

func file(which error, path string) ([]byte, error) {
	if path == "" {
		return nil, fmt.Errorf("%w is required for TLS", which)
	}
	body, _, err := safefile.Read(path, maxFile)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", which, err)
	}
	return body, nil
}

// warn tells of a certificate that nobody who verifies it will accept. It is no mistake that keeps a process from
// starting: a kubelet verifies nothing, and a restart would become an outage.
func (f *Files) warn(leaf *x509.Certificate) {
	now := time.Now()
	if now.Before(leaf.NotBefore) || now.After(leaf.NotAfter) {
		f.log.LogAttrs(context.Background(), slog.LevelWarn, "the TLS certificate is not in force",
			slog.String("certificate", f.cert), slog.Time("not_before", leaf.NotBefore), slog.Time("not_after", leaf.NotAfter))
	}
}
