package pki_test

import (
	"bytes"
	"crypto/tls"
	"errors"
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

// meet shakes hands and returns the serial number of the server's certificate, and whether both sides are content.
func meet(t *testing.T, server, client *tls.Config) (*big.Int, error) {
	t.Helper()
	lis := bufconn.Listen(64 << 10) // Unlike net.Pipe, it lets both sides write at the same time.
	defer lis.Close()
	client = client.Clone()
	client.ServerName = "localhost"
	ended := make(chan error, 1)
	go func() { ended <- greet(lis, server) }()
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

// greet is the server's side.
func greet(lis net.Listener, config *tls.Config) error {
	far, err := lis.Accept()
	if err != nil {
		return err
	}
	defer far.Close()
	conn := tls.Server(far, config)
	if err := conn.Handshake(); err != nil {
		return err
	}
	_, err = conn.Write([]byte("!")) // In TLS 1.3 a client learns only by what follows that it was refused.
	return err
}

func TestMistakesNameTheirFile(t *testing.T) {
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
		"all missing":        {none, none, none, []error{pki.ErrCert, pki.ErrKey, pki.ErrAuthority}, "no such file"},
		"another's key":      {cert, foreign, "", []error{pki.ErrCert}, "does not match"},
		"the wrong way":      {key, cert, "", []error{pki.ErrCert}, "switched"},
		"no authority in it": {cert, key, key, []error{pki.ErrAuthority}, "no certificate in PEM form"},
		"two mistakes":       {cert, foreign, key, []error{pki.ErrCert, pki.ErrAuthority}, "does not match"},
		"a folder":           {a.Folder, key, "", []error{pki.ErrCert}, "not a regular file"},
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

func TestClientCertificates(t *testing.T) {
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
		if _, err := meet(t, files.Config(tt.auth), tt.client); (err == nil) != tt.want {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestOldProtocolsAreRefused(t *testing.T) {
	t.Parallel()
	a := pkitest.New(t)
	cert, key := a.Issue(t, "server")
	for _, authority := range []string{"", a.File} {
		server := open(t, cert, key, authority, quiet).Config(tls.VerifyClientCertIfGiven)
		for version, want := range map[uint16]bool{tls.VersionTLS10: false, tls.VersionTLS11: false, tls.VersionTLS12: true, tls.VersionTLS13: true} {
			client := a.Client(t, "")
			client.MinVersion, client.MaxVersion = version, version
			if _, err := meet(t, server, client); (err == nil) != want {
				t.Errorf("%s: %v", tls.VersionName(version), err)
			}
		}
	}
}

// Files are replaced one after the other, and sometimes by nonsense. Nobody notices but the log.
func TestFilesAreReplacedUnderARunningServer(t *testing.T) {
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
			for _, who := range []struct {
				client *tls.Config
				works  bool
			}{{old, oldWorks}, {fresh, !oldWorks}} {
				shown, err := meet(t, server, who.client)
				if (err == nil) != who.works {
					t.Errorf("%s: %v", step, err)
				}
				if err == nil && shown.Int64() != serial {
					t.Errorf("%s: shown %v, want %d", step, shown, serial)
				}
			}
		}
		expect("at first", 2, true) // after the authority's own
		before, err := os.ReadFile(key)
		if err != nil {
			t.Fatal(err)
		}
		a.Issue(t, "server")
		expect("renewed", 4, true)
		if err := os.WriteFile(key, before, 0o600); err != nil {
			t.Fatal(err)
		}
		expect("with a key that does not match", 4, true)
		copyFile(t, next.File, authority)
		expect("authorities replaced while the key does not match", 4, true)
		a.Issue(t, "server")
		expect("whole again, with the new authorities", 5, false)
		if err := os.Remove(cert); err != nil {
			t.Fatal(err)
		}
		expect("removed", 5, false)
		if again, cannot := strings.Count(log.String(), "read again"), strings.Count(log.String(), "cannot be used"); again != 2 || cannot != 2 {
			t.Errorf("%d lines about files read again, %d about bad ones:\n%s", again, cannot, log.String())
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

func TestACertificateThatIsNotInForceIsToldButServed(t *testing.T) {
	t.Parallel()
	a := pkitest.New(t)
	cert, key := a.IssueUntil(t, "server", time.Now().Add(-time.Minute))
	var log bytes.Buffer
	server := open(t, cert, key, "", slog.New(slog.NewTextHandler(&log, nil))).Config(0)
	if !strings.Contains(log.String(), "not in force") {
		t.Errorf("the log: %s", log.String())
	}
	kubelet := &tls.Config{InsecureSkipVerify: true} // as the kubelet does
	if _, err := meet(t, server, kubelet); err != nil {
		t.Errorf("who verifies nothing: %v", err)
	}
	if _, err := meet(t, server, a.Client(t, "")); err == nil {
		t.Error("who verifies accepts it")
	}
}
