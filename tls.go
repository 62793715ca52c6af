package vitals

import (
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"

	"github.com/vitals-go/vitals/internal/pki"
)

// TLSFiles are the PEM files of a TLS server. They are checked for changes with new connections, at most once a second, so
// that a running process takes renewed certificates; while they are invalid the previous ones are kept. The zero value
// means no TLS.
type TLSFiles struct {
	// Cert holds the certificate, followed by intermediate certificates, Key its private key.
	Cert, Key string
	// ClientCA holds the authorities of client certificates: mutual TLS. Default: none are requested.
	ClientCA string
	// ClientOptional accepts clients without a certificate, such as a kubelet; one that is presented must be valid. See
	// servicer.DetailsCertificate.
	ClientOptional bool
}

// ServerConfig reads the files and returns the configuration for any number of HTTP and gRPC servers, with TLS 1.2 or
// later. Reloads and their failures are logged to log; nil discards. The error joins all mistakes, each naming its field.
func (f TLSFiles) ServerConfig(log *slog.Logger) (*tls.Config, error) {
	return f.serverConfig(log, func(field string) string { return "vitals: TLSFiles." + field })
}

// tlsVariable returns the environment variable of a field of Config.TLS.
func tlsVariable(field string) string {
	return map[string]string{
		"Cert": tlsCertVariable, "Key": tlsKeyVariable, "ClientCA": tlsClientCAVariable, "ClientOptional": tlsClientAuthVariable,
	}[field]
}

// wanted reports whether any field is set.
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

// serverConfig is ServerConfig with the names of fields in errors.
func (f TLSFiles) serverConfig(log *slog.Logger, name func(field string) string) (*tls.Config, error) {
	var unused error
	if f.ClientOptional && f.ClientCA == "" {
		unused = fmt.Errorf("%s: has no effect without ClientCA (%s)", name("ClientOptional"), tlsClientCAVariable)
	}
	files, err := pki.Open(f.Cert, f.Key, f.ClientCA, log)
	if err != nil {
		err = renamed(err, map[error]string{
			pki.ErrCert: name("Cert"), pki.ErrKey: name("Key"), pki.ErrAuthority: name("ClientCA"),
		})
	}
	if err := errors.Join(err, unused); err != nil {
		return nil, err
	}
	return files.Config(f.clientAuth()), nil
}

// renamed prefixes each of the joined errors with its field.
func renamed(err error, fields map[error]string) error {
	all := []error{err}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		all = joined.Unwrap()
	}
	for i, one := range all {
		for kind, field := range fields {
			if errors.Is(one, kind) {
				all[i] = fmt.Errorf("%s: %w", field, one)
			}
		}
	}
	return errors.Join(all...)
}

// listenerTLS is the TLS of the two listeners; nil means plaintext.
type listenerTLS struct{ http, grpc *tls.Config }

// listenerTLS reads the files if a listener uses them.
func (cfg Config) listenerTLS(log *slog.Logger) (listenerTLS, error) {
	configs := listenerTLS{http: cfg.HTTPTLS, grpc: cfg.HealthGRPCTLS}
	web := cfg.HTTPAddr != "" && configs.http == nil
	probe := cfg.HealthGRPCAddr != "" && configs.grpc == nil && !cfg.HealthGRPCPlaintext
	err := cfg.conflictingTLS()
	if !cfg.TLS.wanted() || !web && !probe {
		return configs, err
	}
	shared, filesErr := cfg.TLS.serverConfig(log, func(field string) string { return "vitals: TLS." + field + " (" + tlsVariable(field) + ")" })
	if web {
		configs.http = shared
	}
	if probe {
		configs.grpc = shared
	}
	return configs, errors.Join(err, filesErr)
}

func (cfg Config) conflictingTLS() error {
	var errs []error
	if cfg.HealthGRPCTLS != nil && cfg.HealthGRPCPlaintext {
		errs = append(errs, errors.New("vitals: HealthGRPCTLS and HealthGRPCPlaintext: only one can be set"))
	}
	for _, field := range []struct {
		name   string
		config *tls.Config
	}{{"HTTPTLS", cfg.HTTPTLS}, {"HealthGRPCTLS", cfg.HealthGRPCTLS}} {
		if c := field.config; c != nil && len(c.Certificates) == 0 && c.GetCertificate == nil && c.GetConfigForClient == nil {
			errs = append(errs, fmt.Errorf("vitals: %s: no certificate", field.name))
		}
	}
	return errors.Join(errs...)
}
