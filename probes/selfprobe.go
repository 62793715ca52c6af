package probes

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"
	"time"

	"google.golang.org/grpc/metadata"
)

// The exit codes of Main are those of grpc_health_probe.
const (
	exitServing    = 0
	exitArguments  = 1
	exitConnection = 2
	exitRPC        = 3
	exitNotServing = 4
)

// Main is a health probe that any program can hold, for images without a shell: call it with the arguments that
// follow the program's sub-command, and exit with what it returns.
//
//	if len(os.Args) > 1 && os.Args[1] == "healthcheck" {
//		os.Exit(probes.Main(os.Args[2:], os.Stdout, os.Stderr))
//	}
//
// It asks one of
//
//	-addr HOST:PORT   grpc.health.v1 Check, with the flags of grpc_health_probe; also unix:///path and [::1]:port
//	-http URL         any 2xx is serving, 503 is not; a password in the URL is sent, and never printed
//	-file PATH        a health file; -for live, ready (the default) or healthy says which of its verdicts counts
//
// and returns 0 if the answer is that traffic may come, 1 for a mistake in the arguments, 2 if no connection was made
// in time, 3 if the answer failed, broke off or was late, and 4 if the answer is no. A health file that is missing,
// torn, expired or from the future is a 4. The answer is written to stdout, a failure to stderr. Main reads no
// environment, so no proxy comes between the probe and the program.
func Main(args []string, stdout, stderr io.Writer) int {
	options, err := parseProbe(args, stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return exitServing
	case err == nil && options.version:
		fmt.Fprintln(stdout, buildVersion())
		return exitServing
	case err != nil:
		fmt.Fprintln(stderr, "error:", err)
		return exitArguments
	}
	ctx := context.Background()
	var result probeResult
	switch {
	case options.addr != "":
		result = options.probeGRPC(ctx)
	case options.url != "":
		result = options.probeHTTP(ctx)
	default:
		result = options.probeFile()
	}
	if result.code == exitServing {
		fmt.Fprintln(stdout, result.text)
		if options.verbose && result.elapsed != "" {
			fmt.Fprintln(stdout, result.elapsed)
		}
	} else {
		fmt.Fprintln(stderr, result.text)
	}
	return result.code
}

// probeResult is an exit code with its explanation.
type probeResult struct {
	code    int
	text    string
	elapsed string
}

// probeOptions are the flags of Main.
type probeOptions struct {
	addr, url, file string

	service        string
	purpose        string
	userAgent      string
	headers        headers
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

func parseProbe(args []string, stderr io.Writer) (*probeOptions, error) {
	o := &probeOptions{}
	flags := flag.NewFlagSet("healthcheck", flag.ContinueOnError)
	// What is wrong is said once, by Main; only the help text is written by the flag package.
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

func (o *probeOptions) define(flags *flag.FlagSet) {
	flags.StringVar(&o.addr, "addr", "", "ask grpc.health.v1 at `host:port` or unix:///path")
	flags.StringVar(&o.url, "http", "", "ask over HTTP at `url`")
	flags.StringVar(&o.file, "file", "", "read the health file at `path`")
	flags.StringVar(&o.purpose, "for", "ready", "with -file, the `verdict` that counts: live, ready or healthy")
	flags.StringVar(&o.service, "service", "", "with -addr, the `name` to check; empty is the server as a whole")
	flags.StringVar(&o.userAgent, "user-agent", "vitals_healthcheck", "user agent of the request")
	flags.Var(&o.headers, "rpc-header", "additional header `'name: value'`; may be repeated")
	flags.DurationVar(&o.connectTimeout, "connect-timeout", time.Second, "for the connection to be made")
	flags.DurationVar(&o.rpcTimeout, "rpc-timeout", time.Second, "for the answer to come")
	flags.BoolVar(&o.gzip, "gzip", false, "with -addr, compress the request")
	flags.BoolVar(&o.verbose, "v", false, "say how long it took")
	flags.BoolVar(&o.version, "version", false, "say which program and which version this is, and ask nobody")
	flags.BoolVar(&o.tls, "tls", false, "with -addr, use TLS")
	flags.BoolVar(&o.noVerify, "tls-no-verify", false, "with TLS, accept any certificate")
	flags.StringVar(&o.caCert, "tls-ca-cert", "", "with TLS, `file` of the authorities to trust")
	flags.StringVar(&o.clientCert, "tls-client-cert", "", "with TLS, `file` of the certificate to show")
	flags.StringVar(&o.clientKey, "tls-client-key", "", "with TLS, `file` of that certificate's key")
	flags.StringVar(&o.serverName, "tls-server-name", "", "with TLS, `name` that the server's certificate must bear")
}

// validate returns every contradiction in the arguments.
func (o *probeOptions) validate(given map[string]bool, rest []string) error {
	var errs []error
	refuse := func(wrong bool, format string, args ...any) {
		if wrong {
			errs = append(errs, fmt.Errorf(format, args...))
		}
	}
	endpoints := 0
	for _, endpoint := range []string{o.addr, o.url, o.file} {
		if endpoint != "" {
			endpoints++
		}
	}
	secure := o.tls || strings.HasPrefix(strings.ToLower(o.url), "https:")
	refuse(len(rest) > 0, "unexpected argument %q", rest)
	refuse(endpoints == 0, "one of -addr, -http and -file is required")
	refuse(endpoints > 1, "-addr, -http and -file exclude each other")
	refuse(o.connectTimeout <= 0, "-connect-timeout must be greater than zero, not %v", o.connectTimeout)
	refuse(o.rpcTimeout <= 0, "-rpc-timeout must be greater than zero, not %v", o.rpcTimeout)
	refuse(o.purpose != "live" && o.purpose != "ready" && o.purpose != "healthy",
		"-for must be live, ready or healthy, not %q", o.purpose)
	refuse(strings.ContainsFunc(o.userAgent, notOfValue), "-user-agent holds more than printable ASCII")
	refuse(given["for"] && o.file == "", "-for needs -file")
	for _, name := range []string{"service", "gzip", "tls"} {
		refuse(given[name] && o.addr == "", "-%s needs -addr", name)
	}
	for _, name := range []string{
		"tls-no-verify", "tls-ca-cert", "tls-client-cert", "tls-client-key", "tls-server-name",
	} {
		refuse(given[name] && !secure, "-%s needs -tls or an https URL", name)
	}
	refuse((o.clientCert == "") != (o.clientKey == ""), "-tls-client-cert and -tls-client-key need each other")
	refuse(o.noVerify && o.caCert != "", "-tls-no-verify leaves -tls-ca-cert without use")
	refuse(o.noVerify && o.serverName != "", "-tls-no-verify leaves -tls-server-name without use")
	return errors.Join(append(errs, o.headers.wrong...)...)
}

// headers collects the values of a flag that may be repeated, and what is wrong with them: the flag package would repeat
// the value, which may be a token, and stop at the first.
type headers struct {
	metadata.MD
	wrong []error
}

// String implements flag.Value.
func (h *headers) String() string { return "" }

// Set implements flag.Value.
func (h *headers) Set(text string) error {
	name, value, ok := strings.Cut(text, ":")
	name, value = strings.TrimSpace(name), strings.TrimSpace(value)
	switch {
	case !ok || name == "":
		h.wrong = append(h.wrong, errors.New("-rpc-header must be 'name: value'"))
	case strings.ContainsFunc(name, notOfName):
		h.wrong = append(h.wrong, fmt.Errorf("-rpc-header %q: a name holds letters, digits, '-', '_' and '.' only", name))
	case strings.ContainsFunc(value, notOfValue):
		h.wrong = append(h.wrong, fmt.Errorf("-rpc-header: the value of %s holds more than printable ASCII", name))
	case h.MD == nil:
		h.MD = metadata.Pairs(name, value)
	default:
		h.Append(name, value)
	}
	return nil
}

// notOfName and notOfValue reject what gRPC does not send in a header, and HTTP need not.
func notOfName(r rune) bool {
	return !strings.ContainsRune("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.", r)
}

func notOfValue(r rune) bool { return r < ' ' || r > '~' }
