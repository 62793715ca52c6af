package vitals

import (
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"

	"github.com/vitals-go/vitals/internal/pki"
)

// TLSFiles are the server's side of TLS in PEM files. They are looked at again, at most once a second, when somebody
// connects, so that a certificate, its key or the authorities can be replaced under a running process; while what they
// hold makes no sense, what was read before stays in force. The zero value means no TLS.
type TLSFiles struct {
	// Cert and Key are the certificate, followed by those of the authorities between it and the root, and its key.
	Cert, Key string
	// ClientCA holds the authorities whose certificates clients must show: mutual TLS. Default: clients show none.
	ClientCA string
	// ClientOptional lets clients in that show no certificate; one that is shown must be good all the same. A kubelet
	// has none to show. With servicer.DetailsCertificate the certificate then says who may see details.
	ClientOptional bool
}

// ServerConfig reads the files and returns the configuration for a listener: at least TLS 1.2, for HTTP and gRPC, for any
// number of servers. log hears of files that were replaced, or are no longer good; nil: nobody does. The error tells all
// mistakes, each by its field.
func (f TLSFiles) ServerConfig(log *slog.Logger) (*tls.Config, error) {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return f.serverConfig(log, func(field string) string { return "vitals: TLSFiles." + field })
}

// tlsVariable is what fills a field of Config.TLS from the environment.
func tlsVariable(field string) string {
	switch field {
	case "Cert":
		return tlsCertVariable
	case "Key":
		return tlsKeyVariable
	case "ClientCA":
		return tlsClientCAVariable
	default:
		return tlsClientAuthVariable
	}
}

// wanted reports whether anything has been said about TLS.
func (f TLSFiles) wanted() bool { return f != TLSFiles{} }

func (f TLSFiles) clientAuth() tls.ClientAuthType {
	switch {
	case f.ClientCA == "":
		return tls.NoClientCert
	case f.ClientOptional:
		return tls.VerifyClientCertIfGiven
	default:
		return tls.RequireAndVerifyClientCert
	}
}

// serverConfig is ServerConfig that calls fields by what name makes of them.
func (f TLSFiles) serverConfig(log *slog.Logger, name func(field string) string) (*tls.Config, error) {
	var useless error
	if f.ClientOptional && f.ClientCA == "" {
		useless = fmt.Errorf("%s: has no use without ClientCA (%s)", name("ClientOptional"), tlsClientCAVariable)
	}
	files, err := pki.Open(f.Cert, f.Key, f.ClientCA, log)
	if err != nil {
		err = renamed(err, map[error]string{
			pki.ErrCert: name("Cert"), pki.ErrKey: name("Key"), pki.ErrAuthority: name("ClientCA"),
		})
	}
	if err := errors.Join(err, useless); err != nil {
		return nil, err
	}
	return files.Config(f.clientAuth()), nil
}

// renamed puts before each of the joined errors the field that it is about.
func renamed(err error, fields map[error]string) error {
	all := []error{err}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		all = joined.Unwrap()
	}
	for i, mistake := range all {
		for kind, field := range fields {
			if errors.Is(mistake, kind) {
				all[i] = fmt.Errorf("%s: %w", field, mistake)
			}
		}
	}
	return errors.Join(all...)
}

// listenerTLS is what the two listeners speak; nil is plaintext.
type listenerTLS struct{ http, grpc *tls.Config }

// listenerTLS reads the files if a door is to use them.
func (cfg Config) listenerTLS(log *slog.Logger) (listenerTLS, error) {
	speaks := listenerTLS{http: cfg.HTTPTLS, grpc: cfg.HealthGRPCTLS}
	web := cfg.HTTPAddr != "" && speaks.http == nil
	probe := cfg.HealthGRPCAddr != "" && speaks.grpc == nil && !cfg.HealthGRPCPlaintext
	err := cfg.conflictingTLS()
	if !cfg.TLS.wanted() || !web && !probe {
		return speaks, err
	}
	shared, filesErr := cfg.TLS.serverConfig(log, func(field string) string { return "vitals: TLS." + field + " (" + tlsVariable(field) + ")" })
	if web {
		speaks.http = shared
	}
	if probe {
		speaks.grpc = shared
	}
	return speaks, errors.Join(err, filesErr)
}

func (cfg Config) conflictingTLS() error {
	var errs []error
	if cfg.HealthGRPCTLS != nil && cfg.HealthGRPCPlaintext {
		errs = append(errs, errors.New("vitals: HealthGRPCTLS and HealthGRPCPlaintext exclude each other"))
	}
	for _, field := range []struct {
		name   string
		config *tls.Config
	}{{"HTTPTLS", cfg.HTTPTLS}, {"HealthGRPCTLS", cfg.HealthGRPCTLS}} {
		if c := field.config; c != nil && len(c.Certificates) == 0 && c.GetCertificate == nil && c.GetConfigForClient == nil {
			errs = append(errs, fmt.Errorf("vitals: %s holds no certificate", field.name))
		}
	}
	return errors.Join(errs...)
}
