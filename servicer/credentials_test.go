package servicer_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"math/big"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/encoding/protojson"

	"github.com/vitals-go/vitals/checker"
	"github.com/vitals-go/vitals/servicer"
	"github.com/vitals-go/vitals/servicer/bearer"
	"github.com/vitals-go/vitals/servicer/vitalspb"
)

const token = "correct-horse-battery-staple"

// identity is a certificate that its own authority has signed.
func identity(t *testing.T, name string) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name},
		NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(leaf)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}, pool
}

// overCertificates asks for client certificates as auth says; the client shows one of a known authority, of an unknown
// one, or none.
func overCertificates(auth tls.ClientAuthType, shows string) func(*testing.T) link {
	return func(t *testing.T) link {
		server, roots := identity(t, "vitals.test")
		friend, friends := identity(t, "friend")
		own := &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: roots, ServerName: "vitals.test"}
		switch shows {
		case "a known one":
			own.Certificates = []tls.Certificate{friend}
		case "an unknown one":
			stranger, _ := identity(t, "friend")
			own.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &stranger, nil }
		}
		lis := listen(t, "tcp", "127.0.0.1:0")
		return link{lis, credentials.NewTLS(&tls.Config{
			MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{server}, ClientCAs: friends, ClientAuth: auth,
		}), credentials.NewTLS(own), lis.Addr().String(), nil}
	}
}

func newTokens(t *testing.T) *bearer.Tokens {
	t.Helper()
	tokens, err := bearer.New(bearer.Config{Tokens: []string{token}})
	if err != nil {
		t.Fatal(err)
	}
	return tokens
}

func TestCredentialsShowDetails(t *testing.T) {
	t.Parallel()
	byCertificate := servicer.Details{Policy: servicer.DetailsCertificate}
	byToken := servicer.Details{Tokens: newTokens(t)}
	for name, tc := range map[string]struct {
		details servicer.Details
		link    func(*testing.T) link
		header  []string
		want    bool
	}{
		"a verified certificate":             {byCertificate, overCertificates(tls.RequireAndVerifyClientCert, "a known one"), nil, true},
		"one that need not be":               {byCertificate, overCertificates(tls.VerifyClientCertIfGiven, "a known one"), nil, true},
		"one that was only shown":            {byCertificate, overCertificates(tls.RequireAnyClientCert, "an unknown one"), nil, false},
		"none":                               {byCertificate, overCertificates(tls.VerifyClientCertIfGiven, ""), nil, false},
		"that of a proxy":                    {byCertificate, overCertificates(tls.RequireAndVerifyClientCert, "a known one"), []string{"x-forwarded-for", "1.2.3.4"}, false},
		"no TLS, but a claim":                {byCertificate, overTCP, []string{"x-client-cert", "friend"}, false},
		"a certificate where nobody may":     {servicer.Details{}, overCertificates(tls.RequireAndVerifyClientCert, "a known one"), nil, false},
		"a certificate where a token counts": {byToken, overCertificates(tls.RequireAndVerifyClientCert, "a known one"), nil, false},
		"a token":                            {byToken, overTCP, []string{"authorization", "Bearer " + token}, true},
		"a token through a proxy":            {byToken, overTCP, []string{"authorization", "Bearer " + token, "x-forwarded-for", "1.2.3.4"}, true},
		"a wrong one":                        {byToken, overTCP, []string{"authorization", "Bearer " + strings.ToUpper(token)}, false},
		"no token":                           {byToken, overTCP, nil, false},
		"no token, but local":                {servicer.Details{Policy: servicer.DetailsLocal, Tokens: newTokens(t)}, overTCP, nil, true},
		"a token where an authorizer says no": {
			servicer.Details{Authorize: knowsTheWord, Tokens: newTokens(t)}, overTCP, []string{"authorization", "Bearer " + token}, true,
		},
		"an authorizer's word beside tokens": {
			servicer.Details{Authorize: knowsTheWord, Tokens: newTokens(t)}, overTCP, []string{"word", "sesame"}, true,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client, stop := reporting(t, tc.link(t), failing(t, tc.details, nil))
			defer stop()
			ctx := metadata.AppendToOutgoingContext(t.Context(), tc.header...)
			r, err := client.GetHealthReport(ctx, &vitalspb.HealthReportRequest{IncludeMethods: true})
			if err != nil {
				t.Fatal(err)
			}
			if got := strings.Contains(protojson.Format(r), secret); got != tc.want {
				t.Errorf("the secret is shown: %v\n%v", got, protojson.Format(r))
			}
		})
	}
}

func TestWrongTokenGetsReportWithoutDetails(t *testing.T) {
	t.Parallel()
	client, stop := reporting(t, overTCP(t), failing(t, servicer.Details{Tokens: newTokens(t)}, nil))
	defer stop()
	wrong := metadata.AppendToOutgoingContext(t.Context(), "authorization", "Bearer not-the-right-token-at-all")
	for range 100 {
		r, err := client.GetHealthReport(wrong, &vitalspb.HealthReportRequest{})
		if err != nil || r.GetOverallStatus() != "critical" || strings.Contains(protojson.Format(r), secret) {
			t.Fatalf("%v, %v", r, err)
		}
	}
}

func TestDetailsEndWhenPermissionIsWithdrawnDuringStream(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var database dependency
		database.fail(errors.New(secret))
		c := newChecker(t, checker.Check{Name: "database", Run: database.ping})
		var allowed atomic.Bool
		var asked atomic.Int64
		s := newServer(t, servicer.Config{Checker: c, Details: servicer.Details{
			Authorize: func(context.Context, servicer.Caller) bool { asked.Add(1); return allowed.Load() },
		}})
		defer run(t, c.Run)()
		defer run(t, s.Run)()
		client, stop := reporting(t, overMemory(t), s)
		defer stop()
		synctest.Wait()
		allowed.Store(true)
		stream, err := client.WatchHealthReport(t.Context(), &vitalspb.WatchHealthReportRequest{})
		if err != nil {
			t.Fatal(err)
		}
		shown := func(want bool) {
			t.Helper()
			r, err := stream.Recv()
			if err != nil {
				t.Fatal(err)
			}
			if got := strings.Contains(protojson.Format(r), secret); got != want {
				t.Errorf("the secret is shown: %v", got)
			}
		}
		shown(true)
		synctest.Wait()
		allowed.Store(false)
		time.Sleep(2 * time.Second)
		database.fail(errors.New(secret + " again"))
		s.SetServingStatus("news", serving)
		shown(false)
		allowed.Store(true)
		before := asked.Load()
		time.Sleep(2 * time.Second)
		s.SetServingStatus("more news", serving)
		shown(false)
		if asked.Load() != before {
			t.Error("who was refused is asked about again")
		}
	})
}
