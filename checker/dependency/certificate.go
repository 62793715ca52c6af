package dependency

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"time"

	"github.com/vitals-go/vitals/checker"
)

// CertificateConfig says whose certificate is watched.
type CertificateConfig struct {
	// Name of the check, such as api_certificate. Required.
	Name string
	// Addr is host:port of a TLS server, or unix:/path. Required.
	Addr string
	// TLS verifies the server. Default: as crypto/tls does, for the host of Addr.
	TLS *tls.Config
	// Interval between two looks. Default 1 h.
	Interval time.Duration
}

// Certificate returns a check that measures how much of a server certificate's lifetime has passed, and names the
// days left. It warns above 80 % and is critical above 95 %, unless the caller sets other limits in the Check: automatic
// renewal comes at about two thirds, and a share fits certificates of a day as well as those of a year. It gates nothing,
// because a certificate that is about to expire still works. One that has expired, or is not trusted, is an error of the
// check.
func Certificate(cfg CertificateConfig) (checker.Check, error) {
	mistakes := []error{validAddress("CertificateConfig.Addr", cfg.Addr)}
	if cfg.Name == "" {
		mistakes = append(mistakes, errors.New("dependency: CertificateConfig.Name is required"))
	}
	if cfg.Interval < 0 {
		mistakes = append(mistakes, fmt.Errorf("dependency: CertificateConfig.Interval is negative: %v", cfg.Interval))
	}
	if err := errors.Join(mistakes...); err != nil {
		return checker.Check{}, err
	}
	if cfg.Interval == 0 {
		cfg.Interval = time.Hour
	}
	if cfg.TLS == nil {
		cfg.TLS = &tls.Config{}
	}
	return checker.Check{
		Name: cfg.Name, Title: "Certificate lifetime of " + cfg.Name,
		Measure: cfg.measure, Warning: checker.Above(80), Critical: checker.Above(95),
		Interval: cfg.Interval, FailingInterval: min(cfg.Interval, time.Minute), Gates: []string{checker.None},
	}, nil
}

func (cfg CertificateConfig) measure(ctx context.Context) (checker.Measurement, error) {
	conn, release, err := dial(ctx, cfg.Addr, cfg.TLS)
	if err != nil {
		return checker.Measurement{}, explain(err, cfg.Addr)
	}
	defer release()
	certificates := conn.(*tls.Conn).ConnectionState().PeerCertificates
	if len(certificates) == 0 {
		return checker.Measurement{}, fmt.Errorf("%s shows no certificate", cfg.Addr)
	}
	leaf := certificates[0]
	lifetime, left := leaf.NotAfter.Sub(leaf.NotBefore), time.Until(leaf.NotAfter)
	if left <= 0 || lifetime <= 0 { // only where the configuration does not verify
		return checker.Measurement{}, fmt.Errorf("the certificate of %s expired on %s: renew it", cfg.Addr, leaf.NotAfter.UTC().Format(time.DateOnly))
	}
	return checker.Measurement{
		Value: min(max(100*(1-left.Hours()/lifetime.Hours()), 0), 100),
		Unit:  "%", Source: fmt.Sprintf("of %s (%s left)", humanDays(lifetime), humanDays(left)),
	}, nil
}

// humanDays rounds down: nobody should believe in more time than there is.
func humanDays(d time.Duration) string {
	if d < 48*time.Hour {
		return fmt.Sprintf("%d hours", int(d.Hours()))
	}
	return fmt.Sprintf("%d days", int(d.Hours()/24))
}
