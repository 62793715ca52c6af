package dependency

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"time"

	"github.com/vitals-go/vitals/checker"
)

// CertificateConfig configures Certificate.
type CertificateConfig struct {
	// Name of the check, such as api_certificate. Required.
	Name string
	// Addr of a TLS server, as in TCPConfig. Required.
	Addr string
	// TLS verifies the server. Default: as crypto/tls does, for the host of Addr.
	TLS *tls.Config
	// MinLeft makes the check measure the days left: critical with fewer than these, a warning below 1.5 times as many. It is
	// at least an hour. Default 0: the share of the lifetime.
	MinLeft time.Duration
	// Interval between two runs. Default 1 h.
	Interval time.Duration
}

// Certificate returns a check that measures how much of a server certificate's lifetime has passed, with the days left in
// its source. It warns above 80 % and is critical above 95 %, unless the caller sets other limits in the Check; automatic
// renewal comes at about two thirds. With MinLeft it measures the days left instead. It gates nothing, because a certificate
// that is about to expire still works. One that has expired or is not trusted is an error of the check.
func Certificate(cfg CertificateConfig) (checker.Check, error) {
	mistakes := []error{
		resolve("CertificateConfig.Addr", &cfg.Addr), required("CertificateConfig.Name", cfg.Name != ""),
	}
	if cfg.Interval < 0 {
		mistakes = append(mistakes, fmt.Errorf("dependency: CertificateConfig.Interval: got %v, want 0 or more", cfg.Interval))
	}
	if cfg.MinLeft != 0 && cfg.MinLeft < time.Hour {
		mistakes = append(mistakes, fmt.Errorf("dependency: CertificateConfig.MinLeft: got %v, want 0 or at least 1h", cfg.MinLeft))
	}
	if err := errors.Join(mistakes...); err != nil {
		return checker.Check{}, err
	}
	cfg.Interval = cmp.Or(cfg.Interval, time.Hour)
	cfg.TLS = cmp.Or(cfg.TLS, &tls.Config{})
	check := checker.Check{
		Name: cfg.Name, Title: "Certificate lifetime of " + cfg.Name,
		Measure: cfg.measure, Warning: checker.Above(80), Critical: checker.Above(95),
		Interval: cfg.Interval, FailingInterval: min(cfg.Interval, time.Minute), Gates: []string{checker.None},
	}
	if days := cfg.MinLeft.Hours() / 24; days > 0 {
		check.Title, check.Warning, check.Critical = "Certificate of "+cfg.Name, checker.Below(1.5*days), checker.Below(days)
	}
	return check, nil
}

func (cfg CertificateConfig) measure(ctx context.Context) (checker.Measurement, error) {
	conn, release, err := dial(ctx, cfg.Addr, cfg.TLS)
	if err != nil {
		return checker.Measurement{}, explain(err, cfg.Addr)
	}
	defer release()
	certificates := conn.(*tls.Conn).ConnectionState().PeerCertificates
	if len(certificates) == 0 {
		return checker.Measurement{}, fmt.Errorf("%s sent no certificate", cfg.Addr)
	}
	leaf := certificates[0]
	lifetime, left := leaf.NotAfter.Sub(leaf.NotBefore), time.Until(leaf.NotAfter)
	if left <= 0 || lifetime <= 0 { // only where the configuration does not verify
		return checker.Measurement{}, fmt.Errorf("the certificate of %s expired on %s: renew it", cfg.Addr, leaf.NotAfter.UTC().Format(time.DateOnly))
	}
	if cfg.MinLeft > 0 {
		return checker.Measurement{Value: left.Hours() / 24, Unit: "days", Source: "left of " + humanDays(lifetime)}, nil
	}
	return checker.Measurement{
		Value: min(max(100*(1-left.Hours()/lifetime.Hours()), 0), 100),
		Unit:  "%", Source: fmt.Sprintf("of %s (%s left)", humanDays(lifetime), humanDays(left)),
	}, nil
}

// humanDays rounds down.
func humanDays(d time.Duration) string {
	if d < 48*time.Hour {
		return fmt.Sprintf("%d hours", int(d.Hours()))
	}
	return fmt.Sprintf("%d days", int(d.Hours()/24))
}
