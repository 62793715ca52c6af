package healthcheck

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"google.golang.org/grpc/metadata"
)

// options are the flags of Main.
type options struct {
	addr, url, file string

	service        string
	purpose        string
	userAgent      string
	headers        metadata.MD
	headerErrs     []error
	connectTimeout time.Duration
	rpcTimeout     time.Duration
	gzip           bool
	verbose        bool
	version        bool

	tls        bool
	noVerify   bool
	caCert     string
	clientCert string
	clientKey  string
	serverName string
}

func parse(args []string, stderr io.Writer) (*options, error) {
	o := &options{headers: metadata.MD{}}
	flags := flag.NewFlagSet("healthcheck", flag.ContinueOnError)
	// Main writes errors; the flag package writes only the help text.
	flags.SetOutput(io.Discard)
	o.define(flags)
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			flags.SetOutput(stderr)
			flags.Usage()
		}
		return nil, err
	}
	given := make(map[string]bool)
	flags.Visit(func(f *flag.Flag) { given[f.Name] = true })
	if o.version {
		return o, nil
	}
	return o, o.validate(given, flags.Args())
}

func (o *options) define(flags *flag.FlagSet) {
	flags.StringVar(&o.addr, "addr", "", "call grpc.health.v1 at `host:port` or a gRPC name such as unix:///path")
	flags.StringVar(&o.url, "http", "", "get `url`: any 2xx is serving, 503 is not; a password in it is never printed")
	flags.StringVar(&o.file, "file", "", "read the health file at `path`")
	flags.StringVar(&o.purpose, "for", "ready", "with -file, the `verdict` that counts: live, ready or healthy")
	flags.StringVar(&o.service, "service", "", "with -addr, the `name` to check; empty is the whole server")
	flags.StringVar(&o.userAgent, "user-agent", "vitals_healthcheck", "user agent of the request")
	flags.Func("rpc-header", "additional header `'name: value'`; may be repeated", o.addHeader)
	flags.DurationVar(&o.connectTimeout, "connect-timeout", time.Second, "timeout of the connection, at most 24h")
	flags.DurationVar(&o.rpcTimeout, "rpc-timeout", time.Second, "timeout of the response, at most 24h")
	flags.BoolVar(&o.gzip, "gzip", false, "with -addr, compress the request")
	flags.BoolVar(&o.verbose, "v", false, "print durations")
	flags.BoolVar(&o.version, "version", false, "print the versions of the program and of Go, and exit")
	flags.BoolVar(&o.tls, "tls", false, "with -addr, use TLS")
	flags.BoolVar(&o.noVerify, "tls-no-verify", false, "with TLS, accept any certificate")
	flags.StringVar(&o.caCert, "tls-ca-cert", "", "with TLS, `file` of the trusted CA certificates")
	flags.StringVar(&o.clientCert, "tls-client-cert", "", "with TLS, `file` of the client certificate")
	flags.StringVar(&o.clientKey, "tls-client-key", "", "with TLS, `file` of the client certificate's key")
	flags.StringVar(&o.serverName, "tls-server-name", "", "with TLS, expected `name` in the server's certificate")
}

// maxTimeout keeps the sum of the timeouts from overflowing.
const maxTimeout = 24 * time.Hour

// validate returns all mistakes in the arguments.
func (o *options) validate(given map[string]bool, rest []string) error {
	var errs []error
	reject := func(wrong bool, format string, args ...any) {
		if wrong {
			errs = append(errs, fmt.Errorf(format, args...))
		}
	}
	endpoints := len(slices.DeleteFunc([]string{o.addr, o.url, o.file}, func(s string) bool { return s == "" }))
	secure := o.tls || strings.HasPrefix(strings.ToLower(o.url), "https:")
	reject(len(rest) > 0, "unexpected argument %q", rest)
	reject(endpoints == 0, "one of -addr, -http and -file is required")
	reject(endpoints > 1, "-addr, -http and -file exclude each other")
	timeout := func(name string, d time.Duration) {
		reject(d <= 0 || d > maxTimeout, "%s: got %v, want more than 0 and at most %v", name, d, maxTimeout)
	}
	timeout("-connect-timeout", o.connectTimeout)
	timeout("-rpc-timeout", o.rpcTimeout)
	reject(o.purpose != "live" && o.purpose != "ready" && o.purpose != "healthy",
		"-for: got %q, want live, ready or healthy", o.purpose)
	reject(strings.ContainsFunc(o.userAgent, notOfValue), "-user-agent: want printable ASCII")
	reject(given["for"] && o.file == "", "-for needs -file")
	for _, name := range []string{"service", "gzip", "tls"} {
		reject(given[name] && o.addr == "", "-%s needs -addr", name)
	}
	for _, name := range []string{
		"tls-no-verify", "tls-ca-cert", "tls-client-cert", "tls-client-key", "tls-server-name",
	} {
		reject(given[name] && !secure, "-%s needs -tls or an https URL", name)
	}
	reject((o.clientCert == "") != (o.clientKey == ""), "-tls-client-cert and -tls-client-key need each other")
	reject(o.noVerify && o.caCert != "", "-tls-no-verify and -tls-ca-cert exclude each other")
	reject(o.noVerify && o.serverName != "", "-tls-no-verify and -tls-server-name exclude each other")
	return errors.Join(append(errs, o.headerErrs...)...)
}

// addHeader adds the value of -rpc-header. It does not return the errors: the flag package would print the value, which may
// be a token.
func (o *options) addHeader(text string) error {
	name, value, ok := strings.Cut(text, ":")
	name, value = strings.TrimSpace(name), strings.TrimSpace(value)
	switch {
	case !ok || name == "":
		o.headerErrs = append(o.headerErrs, errors.New("-rpc-header: want 'name: value'"))
	case strings.ContainsFunc(name, notOfName):
		o.headerErrs = append(o.headerErrs, fmt.Errorf("-rpc-header: got the name %q, want letters, digits, '-', '_' and '.'", name))
	case strings.ContainsFunc(value, notOfValue):
		o.headerErrs = append(o.headerErrs, fmt.Errorf("-rpc-header: value of %s: want printable ASCII", name))
	default:
		o.headers.Append(name, value)
	}
	return nil
}

// notOfName and notOfValue report runes that a gRPC header cannot contain.
func notOfName(r rune) bool {
	return !strings.ContainsRune("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.", r)
}

func notOfValue(r rune) bool { return r < ' ' || r > '~' }
