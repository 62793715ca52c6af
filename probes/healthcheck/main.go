// Package healthcheck is a health probe that any program can contain, for images without a shell. Main has the flags and
// exit codes of grpc_health_probe.
package healthcheck

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"runtime"
	"runtime/debug"
	"strings"
	"time"

	"github.com/vitals-go/vitals/probes"
)

// The exit codes of Main are those of grpc_health_probe.
const (
	exitServing    = 0
	exitArguments  = 1
	exitConnection = 2
	exitRPC        = 3
	exitNotServing = 4
)

// Main runs the probe with the arguments that follow the program's subcommand and returns the exit code.
//
//	if len(os.Args) > 1 && os.Args[1] == "healthcheck" {
//		os.Exit(healthcheck.Main(os.Args[2:], os.Stdout, os.Stderr))
//	}
//
// It needs one of
//
//	-addr HOST:PORT   calls grpc.health.v1 Check, with the flags of grpc_health_probe; also a gRPC name such as unix:///path
//	-http URL         2xx is serving, 503 is not; a password in the URL is sent but never printed
//	-file PATH        reads a health file; -for selects live, ready (the default) or healthy
//
// and returns 0 if the result is serving, 1 for invalid arguments, 2 without a connection in time, 3 if the response
// failed, broke off or was late, and 4 if the result is not serving or the health file is invalid. The result is
// written to stdout, a failure to stderr. Main does not read the environment, so it uses no proxy.
func Main(args []string, stdout, stderr io.Writer) int {
	o, err := parse(args, stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return exitServing
	case err == nil && o.version:
		fmt.Fprintln(stdout, buildVersion())
		return exitServing
	case err != nil:
		fmt.Fprintln(stderr, "error:", err)
		return exitArguments
	}
	ctx := context.Background()
	var r result
	switch {
	case o.addr != "":
		r = o.probeGRPC(ctx)
	case o.url != "":
		r = o.probeHTTP(ctx)
	default:
		r = o.probeFile()
	}
	if r.code != exitServing {
		fmt.Fprintln(stderr, r.text)
		return r.code
	}
	fmt.Fprintln(stdout, r.text)
	if o.verbose && r.elapsed != "" {
		fmt.Fprintln(stdout, r.elapsed)
	}
	return exitServing
}

// result is an exit code with its explanation.
type result struct {
	code    int
	text    string
	elapsed string
}

// probeFile reads a health file. An invalid one is not serving.
func (o *options) probeFile() result {
	status, err := probes.ReadFile(o.file)
	if err != nil {
		return result{code: exitNotServing, text: err.Error()}
	}
	text := fmt.Sprintf("status: %s, %s, written %v ago", status.Status, status.Phase,
		time.Since(status.Timestamp).Round(time.Millisecond))
	if !map[string]bool{"live": status.Live, "ready": status.Ready, "healthy": status.Healthy}[o.purpose] {
		return result{code: exitNotServing, text: "not " + o.purpose + "; " + text}
	}
	return result{text: text}
}

// buildVersion returns the main module and its version, the version of this module if it is a dependency, and the Go
// release.
func buildVersion() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown, " + runtime.Version()
	}
	texts := []string{info.Main.Path + " " + info.Main.Version}
	for _, dep := range info.Deps {
		if dep.Path == "github.com/vitals-go/vitals" {
			texts = append(texts, dep.Path+" "+dep.Version)
		}
	}
	return strings.Join(append(texts, runtime.Version()), ", ")
}
