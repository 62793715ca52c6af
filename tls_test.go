package vitals_test

import (
	"bytes"
	"crypto/tls"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	healthpb "google.golang.org/grpc/health/grpc_health_v1"

	"github.com/vitals-go/vitals"
	"github.com/vitals-go/vitals/checker"
	"github.com/vitals-go/vitals/internal/pki/pkitest"
	"github.com/vitals-go/vitals/probes/healthcheck"
	"github.com/vitals-go/vitals/probes/kubernetes"
	"github.com/vitals-go/vitals/servicer"
)

func ExampleTLSFiles_ServerConfig() {
	_, err := vitals.TLSFiles{Cert: "/etc/tls/none.crt", ClientOptional: true}.ServerConfig(slog.Default())
	fmt.Println(err)
	// Output:
	// vitals: TLSFiles.Cert: certificate: open /etc/tls/none.crt: no such file or directory
	// vitals: TLSFiles.Key: key is required for TLS
	// vitals: TLSFiles.ClientOptional: has no effect without ClientCA (PLUGIN_HEALTH_TLS_CLIENT_CA)
}

// The self-probe, which takes every flag that a client of these doors needs, is the witness.
func TestEveryListenerHasTLS(t *testing.T) {
	a, other := pkitest.New(t), pkitest.New(t)
	cert, key := a.Issue(t, "server")
	mine, minesKey := a.Issue(t, "client")
	foreign, foreignKey := other.Issue(t, "client")
	files := vitals.TLSFiles{Cert: cert, Key: key}
	mutual := vitals.TLSFiles{Cert: cert, Key: key, ClientCA: a.File}
	optional := vitals.TLSFiles{Cert: cert, Key: key, ClientCA: a.File, ClientOptional: true}
	inCode, err := mutual.ServerConfig(nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		change     func(*vitals.Config)
		http, grpc string // who is served
	}{
		"nothing":         {func(*vitals.Config) {}, "plain", "plain"},
		"files":           {func(c *vitals.Config) { c.TLS = files }, "bare mine foreign", "bare mine foreign"},
		"mutual":          {func(c *vitals.Config) { c.TLS = mutual }, "mine", "mine"},
		"optional":        {func(c *vitals.Config) { c.TLS = optional }, "bare mine", "bare mine"},
		"but for gRPC":    {func(c *vitals.Config) { c.TLS, c.HealthGRPCPlaintext = mutual, true }, "mine", "plain"},
		"in code, HTTP":   {func(c *vitals.Config) { c.HTTPTLS = inCode }, "mine", "plain"},
		"in code, gRPC":   {func(c *vitals.Config) { c.HealthGRPCTLS = inCode }, "plain", "mine"},
		"in code of both": {func(c *vitals.Config) { c.TLS, c.HTTPTLS = files, inCode }, "mine", "bare mine foreign"},
	} {
		t.Run(name, func(t *testing.T) {
			var health string
			w := serve(t, func(c *vitals.Config) { tt.change(c); health = c.HealthGRPCAddr })
			check(t, w.conn, "readiness", healthpb.HealthCheckResponse_SERVING) // the doors are open by then
			for who, flags := range map[string][]string{
				"plain":   nil,
				"bare":    {"-tls-ca-cert", a.File},
				"mine":    {"-tls-ca-cert", a.File, "-tls-client-cert", mine, "-tls-client-key", minesKey},
				"foreign": {"-tls-ca-cert", a.File, "-tls-client-cert", foreign, "-tls-client-key", foreignKey},
			} {
				url, secure := "http://", []string(nil)
				if who != "plain" {
					url, secure = "https://", []string{"-tls"}
				}
				for door, tried := range map[string]struct {
					served string
					args   []string
				}{
					"HTTP": {tt.http, append([]string{"-http", url + w.http + "/ready"}, flags...)},
					"gRPC": {tt.grpc, slices.Concat([]string{"-addr", health}, secure, flags)},
				} {
					var said bytes.Buffer
					code := healthcheck.Main(append(tried.args, "-connect-timeout", "1m", "-rpc-timeout", "1m"), &said, &said)
					if want := slices.Contains(strings.Fields(tried.served), who); (code == 0) != want {
						t.Errorf("%s, %s client: exit code %d: %s", door, who, code, said.String())
					}
				}
			}
			w.end(t)
		})
	}
}

// A verified certificate, or a token, shows causes; everybody else gets the verdict without them.
func TestCredentialsShowDetailsOverHTTP(t *testing.T) {
	const token = "correct-horse-battery-staple"
	a := pkitest.New(t)
	cert, key := a.Issue(t, "server")
	tokens := filepath.Join(a.Folder, "tokens")
	if err := os.WriteFile(tokens, []byte(token+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	w := serve(t, func(c *vitals.Config) {
		c.TLS = vitals.TLSFiles{Cert: cert, Key: key, ClientCA: a.File, ClientOptional: true}
		c.Details = servicer.Details{Policy: servicer.DetailsCertificate}
		c.DetailsTokenFile = tokens
	})
	w.broken.Store(true)
	eventually(t, func() error { // before its first result the database does not serve either, and for no cause
		if m, _ := w.Report().Metric("dependency_database"); m == nil || m.Detail == "" {
			return fmt.Errorf("no cause yet: %+v", m)
		}
		return nil
	})
	for name, tt := range map[string]struct {
		client *tls.Config
		header string
		want   bool
	}{
		"a stranger":           {a.Client(t, ""), "", false},
		"with a certificate":   {a.Client(t, "client"), "", true},
		"with a token":         {a.Client(t, ""), "Bearer " + token, true},
		"with a wrong one":     {a.Client(t, ""), "Bearer x" + token, false},
		"with another's words": {a.Client(t, ""), "Basic " + token, false},
	} {
		transport := &http.Transport{TLSClientConfig: tt.client, ForceAttemptHTTP2: true}
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://"+w.http+"/health", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", tt.header)
		answer, err := transport.RoundTrip(r)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		body, err := io.ReadAll(answer.Body)
		answer.Body.Close()
		transport.CloseIdleConnections()
		if shown := bytes.Contains(body, []byte("hunter2")); err != nil || answer.StatusCode != http.StatusServiceUnavailable || shown != tt.want {
			t.Errorf("%s: status %d, the cause is shown: %v, error %v", name, answer.StatusCode, shown, err)
		}
	}
	w.end(t)
}

func TestTLSAndTokenErrorsAreJoined(t *testing.T) {
	a := pkitest.New(t)
	cert, key := a.Issue(t, "server")
	none := filepath.Join(a.Folder, "none")
	good := vitals.TLSFiles{Cert: cert, Key: key}
	for name, tt := range map[string]struct {
		config vitals.Config
		want   []string
	}{
		"files": {
			vitals.Config{HTTPAddr: ":0", TLS: vitals.TLSFiles{Cert: none, Key: none, ClientCA: none}, DetailsTokenFile: none},
			[]string{
				"TLS.Cert (PLUGIN_HEALTH_TLS_CERT)", "TLS.Key (PLUGIN_HEALTH_TLS_KEY)", "TLS.ClientCA (PLUGIN_HEALTH_TLS_CLIENT_CA)",
				"DetailsTokenFile (PLUGIN_HEALTH_DETAILS_TOKEN_FILE)",
			},
		},
		"half":           {vitals.Config{HealthGRPCAddr: ":0", TLS: vitals.TLSFiles{Cert: cert}}, []string{"PLUGIN_HEALTH_TLS_KEY): key is required"}},
		"two ways":       {vitals.Config{HealthGRPCTLS: new(tls.Config), HealthGRPCPlaintext: true}, []string{"only one can be set", "HealthGRPCTLS: no certificate"}},
		"no certificate": {vitals.Config{HTTPTLS: new(tls.Config)}, []string{"HTTPTLS: no certificate"}},
		"always, and tokens": {
			vitals.Config{TLS: good, Details: servicer.Details{Policy: servicer.DetailsAlways}, DetailsTokenFile: cert},
			[]string{"has no effect"},
		},
	} {
		_, err := vitals.New(tt.config)
		for _, want := range tt.want {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v, want %q", name, err, want)
			}
		}
	}
	if _, err := vitals.New(vitals.Config{TLS: vitals.TLSFiles{Cert: none}}); err != nil {
		t.Errorf("files that no door uses are read: %v", err)
	}
}

func TestKubernetesRejectsListenersWithClientCertificates(t *testing.T) {
	files := vitals.TLSFiles{Cert: "c", Key: "k"}
	mutual := vitals.TLSFiles{Cert: "c", Key: "k", ClientCA: "a"}
	optional := vitals.TLSFiles{Cert: "c", Key: "k", ClientCA: "a", ClientOptional: true}
	for name, tt := range map[string]struct {
		config vitals.Config
		want   kubernetes.Config
		wrong  string
	}{
		"HTTPS":                {vitals.Config{HTTPAddr: ":1", TLS: files}, kubernetes.Config{HTTPPort: 1, HTTPS: true}, ""},
		"optional":             {vitals.Config{HTTPAddr: ":1", TLS: optional}, kubernetes.Config{HTTPPort: 1, HTTPS: true}, ""},
		"mutual":               {vitals.Config{HTTPAddr: ":1", TLS: mutual}, kubernetes.Config{}, "PLUGIN_HEALTH_TLS_CLIENT_AUTH=optional"},
		"in code":              {vitals.Config{HTTPAddr: ":1", HTTPTLS: &tls.Config{}}, kubernetes.Config{HTTPPort: 1, HTTPS: true}, ""},
		"mutual in code":       {vitals.Config{HTTPAddr: ":1", HTTPTLS: &tls.Config{ClientAuth: tls.RequireAnyClientCert}}, kubernetes.Config{}, "requires client"},
		"both doors":           {vitals.Config{HTTPAddr: ":1", HealthGRPCAddr: ":2", TLS: files}, kubernetes.Config{HTTPPort: 1, HTTPS: true}, ""},
		"plaintext gRPC":       {vitals.Config{HTTPAddr: ":1", HealthGRPCAddr: ":2", TLS: mutual, HealthGRPCPlaintext: true}, kubernetes.Config{GRPCPort: 2}, ""},
		"gRPC with TLS, alone": {vitals.Config{HealthGRPCAddr: ":2", TLS: files}, kubernetes.Config{GRPCPort: 2, GRPCTLS: true}, ""},
		"gRPC, mutual":         {vitals.Config{HealthGRPCAddr: ":2", TLS: mutual}, kubernetes.Config{}, "HealthGRPCPlaintext"},
		"gRPC, mutual in code": {vitals.Config{HealthGRPCAddr: ":2", HealthGRPCTLS: &tls.Config{ClientAuth: tls.RequireAnyClientCert}}, kubernetes.Config{}, "requires client"},
	} {
		tt.config.Dependencies = []checker.Check{{Name: "database", Run: ping}}
		got, err := tt.config.Kubernetes()
		switch {
		case tt.wrong != "":
			if err == nil || !strings.Contains(err.Error(), tt.wrong) {
				t.Errorf("%s: error %v, want %q", name, err, tt.wrong)
			}
		case err != nil || got.HTTPPort != tt.want.HTTPPort || got.GRPCPort != tt.want.GRPCPort || got.HTTPS != tt.want.HTTPS || got.GRPCTLS != tt.want.GRPCTLS:
			t.Errorf("%s: %+v, %v", name, got, err)
		default:
			if _, err := kubernetes.Probes(got); (err != nil) != tt.want.GRPCTLS {
				t.Errorf("%s: without the feature gate: %v", name, err)
			}
			got.GRPCContainerProbeTLS = true
			pod, err := kubernetes.Probes(got)
			if err != nil {
				t.Fatal(err)
			}
			if tt.want.HTTPS && strings.Count(string(pod.Container()), `"scheme": "HTTPS"`) != 3 {
				t.Errorf("%s: got %s, want the scheme HTTPS", name, pod.Container())
			}
		}
	}
}
