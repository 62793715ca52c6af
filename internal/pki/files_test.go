package pki_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc/test/bufconn"

	"github.com/vitals-go/vitals/internal/logtest"
	"github.com/vitals-go/vitals/internal/pki"
	"github.com/vitals-go/vitals/internal/pki/pkitest"
)

var quiet = slog.New(slog.DiscardHandler)

func open(t *testing.T, cert, key, authority string, log *slog.Logger) *pki.Files {
	t.Helper()
	files, err := pki.Open(cert, key, authority, log)
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// handshake returns the serial number of the server's certificate, and the errors of both sides.
func handshake(t *testing.T, server, client *tls.Config) (*big.Int, error) {
	t.Helper()
	lis := bufconn.Listen(64 << 10) // Unlike net.Pipe, it lets both sides write at the same time.
	defer lis.Close()
	client = client.Clone()
	client.ServerName = "localhost"
	ended := make(chan error, 1)
	go func() { ended <- serve(lis, server) }()
	near, err := lis.DialContext(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	conn := tls.Client(near, client)
	_, err = conn.Read(make([]byte, 1))
	near.Close()
	err = errors.Join(err, <-ended)
	if err != nil {
		return nil, err
	}
	return conn.ConnectionState().PeerCertificates[0].SerialNumber, nil
}

// serve is the server's side.
func serve(lis net.Listener, config *tls.Config) error {
	far, err := lis.Accept()
	if err != nil {
		return err
	}
	defer far.Close()
	conn := tls.Server(far, config)
	if err := conn.Handshake(); err != nil {
		return err
	}
	_, err = conn.Write([]byte("!")) // in TLS 1.3 a client sees a rejection only when it reads
	return err
}

func TestOpenErrorsNameTheFile(t *testing.T) {
	t.Parallel()
	a, other := pkitest.New(t), pkitest.New(t)
	cert, key := a.Issue(t, "server")
	_, foreign := other.Issue(t, "server")
	none := filepath.Join(a.Folder, "none")
	for name, tt := range map[string]struct {
		cert, key, authority string
		want                 []error
		text                 string
	}{
		"all missing":  {none, none, none, []error{pki.ErrCert, pki.ErrKey, pki.ErrAuthority}, "no such file"},
		"foreign key":  {cert, foreign, "", []error{pki.ErrCert}, "does not match"},
		"swapped":      {key, cert, "", []error{pki.ErrCert}, "switched"},
		"no authority": {cert, key, key, []error{pki.ErrAuthority}, "no certificate in PEM format"},
		"two mistakes": {cert, foreign, key, []error{pki.ErrCert, pki.ErrAuthority}, "does not match"},
		"directory":    {a.Folder, key, "", []error{pki.ErrCert}, "not a regular file"},
	} {
		_, err := pki.Open(tt.cert, tt.key, tt.authority, quiet)
		for _, want := range tt.want {
			if !errors.Is(err, want) || !strings.Contains(err.Error(), tt.text) {
				t.Errorf("%s: %v, want %v and %q", name, err, want, tt.text)
			}
		}
		if err != nil && strings.Contains(err.Error(), "BEGIN") {
			t.Errorf("%s: the error quotes the file: %v", name, err)
		}
	}
}

func TestConfigVerifiesClientCertificates(t *testing.T) {
	t.Parallel()
	a, other := pkitest.New(t), pkitest.New(t)
	cert, key := a.Issue(t, "server")
	files := open(t, cert, key, a.File, quiet)
	stranger := a.Client(t, "")
	stranger.GetClientCertificate = other.Client(t, "client").GetClientCertificate
	for name, tt := range map[string]struct {
		auth   tls.ClientAuthType
		client *tls.Config
		want   bool
	}{
		"required, shown":   {tls.RequireAndVerifyClientCert, a.Client(t, "client"), true},
		"required, none":    {tls.RequireAndVerifyClientCert, a.Client(t, ""), false},
		"required, unknown": {tls.RequireAndVerifyClientCert, stranger, false},
		"optional, shown":   {tls.VerifyClientCertIfGiven, a.Client(t, "client"), true},
		"optional, none":    {tls.VerifyClientCertIfGiven, a.Client(t, ""), true},
		"optional, unknown": {tls.VerifyClientCertIfGiven, stranger, false},
	} {
		if _, err := handshake(t, files.Config(tt.auth), tt.client); (err == nil) != tt.want {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestConfigRejectsOldTLSVersions(t *testing.T) {
	t.Parallel()
	a := pkitest.New(t)
	cert, key := a.Issue(t, "server")
	for _, authority := range []string{"", a.File} {
		server := open(t, cert, key, authority, quiet).Config(tls.VerifyClientCertIfGiven)
		for version, want := range map[uint16]bool{tls.VersionTLS10: false, tls.VersionTLS11: false, tls.VersionTLS12: true, tls.VersionTLS13: true} {
			client := a.Client(t, "")
			client.MinVersion, client.MaxVersion = version, version
			if _, err := handshake(t, server, client); (err == nil) != want {
				t.Errorf("%s: %v", tls.VersionName(version), err)
			}
		}
	}
}

// Files are replaced one after the other, and inconsistent in between.
func TestFilesAreReloadedAndKeptWhenInvalid(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a, next := pkitest.New(t), pkitest.New(t)
		cert, key := a.Issue(t, "server")
		authority := filepath.Join(a.Folder, "clients.crt")
		copyFile(t, a.File, authority)
		var log bytes.Buffer
		server := open(t, cert, key, authority, slog.New(slog.NewTextHandler(&log, nil))).Config(tls.RequireAndVerifyClientCert)
		old, fresh := a.Client(t, "client"), a.Client(t, "")
		fresh.GetClientCertificate = next.Client(t, "client").GetClientCertificate
		expect := func(step string, serial int64, oldWorks bool) {
			t.Helper()
			time.Sleep(2 * time.Second)
			for _, c := range []struct {
				client *tls.Config
				works  bool
			}{{old, oldWorks}, {fresh, !oldWorks}} {
				shown, err := handshake(t, server, c.client)
				if (err == nil) != c.works {
					t.Errorf("%s: %v", step, err)
				}
				if err == nil && shown.Int64() != serial {
					t.Errorf("%s: got serial %v, want %d", step, shown, serial)
				}
			}
			synctest.Wait() // for the log
		}
		expect("initial", 2, true) // after the authority's own
		before, err := os.ReadFile(key)
		if err != nil {
			t.Fatal(err)
		}
		a.Issue(t, "server")
		expect("renewed", 4, true)
		expect("unchanged, which is not logged again", 4, true)
		if err := os.WriteFile(key, before, 0o600); err != nil {
			t.Fatal(err)
		}
		expect("key does not match", 4, true)
		copyFile(t, next.File, authority)
		expect("authorities replaced while the key does not match", 4, true)
		a.Issue(t, "server")
		expect("consistent again, with new authorities", 5, false)
		if err := os.Remove(cert); err != nil {
			t.Fatal(err)
		}
		expect("removed", 5, false)
		a.Issue(t, "server")
		expect("there again", 6, false)
		if err := os.Remove(cert); err != nil {
			t.Fatal(err)
		}
		expect("removed again, which is logged again", 6, false)
		if ok, failed := strings.Count(log.String(), "certificate reloaded"), strings.Count(log.String(), "reload failed"); ok != 3 || failed != 3 {
			t.Errorf("got %d records of reloads and %d of failed ones, want 3 and 3:\n%s", ok, failed, log.String())
		}
	})
}

// Not parallel: it changes the working directory.
func TestRelativePathsSurviveChdir(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := pkitest.New(t)
		a.Issue(t, "server")
		t.Chdir(a.Folder)
		server := open(t, "server.crt", "server.key", "ca.crt", quiet).Config(tls.VerifyClientCertIfGiven)
		t.Chdir("/")
		a.Issue(t, "server")
		time.Sleep(2 * time.Second)
		if shown, err := handshake(t, server, a.Client(t, "")); err != nil || shown.Int64() != 3 {
			t.Errorf("after chdir: serial %v, %v", shown, err)
		}
	})
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	body, err := os.ReadFile(from)
	if err == nil {
		err = os.WriteFile(to, body, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func TestExpiredCertificateIsLoggedAndServed(t *testing.T) {
	t.Parallel()
	a := pkitest.New(t)
	cert, key := a.IssueUntil(t, "server", time.Now().Add(-time.Minute))
	var log logtest.Log
	logger, flush := log.Logger()
	server := open(t, cert, key, "", logger).Config(0)
	flush()
	if !strings.Contains(log.String(), "expired") {
		t.Errorf("got log %s", log.String())
	}
	kubelet := &tls.Config{InsecureSkipVerify: true} // as the kubelet does
	if _, err := handshake(t, server, kubelet); err != nil {
		t.Errorf("client without verification: %v", err)
	}
	if _, err := handshake(t, server, a.Client(t, "")); err == nil {
		t.Error("client with verification: got no error")
	}
}

// blocked is a log handler that never returns, until release is closed.
type blocked struct {
	slog.Handler

	release chan struct{}
}

func (b blocked) Handle(context.Context, slog.Record) error { <-b.release; return nil }

func TestReloadDoesNotWaitForTheLogHandler(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := pkitest.New(t)
		cert, key := a.Issue(t, "server")
		handler := blocked{slog.NewTextHandler(io.Discard, nil), make(chan struct{})}
		defer close(handler.release)
		server := open(t, cert, key, "", slog.New(handler)).Config(tls.NoClientCert)
		a.Issue(t, "server")
		time.Sleep(2 * time.Second)
		if shown, err := handshake(t, server, a.Client(t, "")); err != nil || shown.Int64() != 3 {
			t.Errorf("got serial %v, %v, want the new certificate's, 3", shown, err)
		}
	})
}
