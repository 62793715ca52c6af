package main

import (
	"crypto/tls"
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/vitals-go/vitals/servicer/servicertest"
)

// options are the flags.
type options struct {
	addr, names, probe, skip string
	tls, noVerify            bool
	check, fail, heal        string
	pid                      int
	protocol                 bool

	target servicertest.Target
}

func parse(args []string, stderr io.Writer) (*options, error) {
	o := &options{}
	flags := flag.NewFlagSet("conformance", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.StringVar(&o.addr, "addr", "", "`host:port` of the server, or unix:///path; required")
	flags.BoolVar(&o.tls, "tls", false, "use TLS")
	flags.BoolVar(&o.noVerify, "tls-no-verify", false, "use TLS and accept any certificate")
	flags.StringVar(&o.names, "names", "", "comma separated `names` that the server must know")
	flags.StringVar(&o.target.HTTP, "http", "", "base `url` of its HTTP door")
	flags.StringVar(&o.target.File, "file", "", "`path` of its health file")
	flags.StringVar(&o.probe, "probe", "", "shell `command` that exits with 0 when traffic may come, and with 4 when not")
	flags.StringVar(&o.check, "check", "", "`name` of a check that gates readiness")
	flags.StringVar(&o.fail, "fail", "", "shell `command` that makes it fail")
	flags.StringVar(&o.heal, "heal", "", "shell `command` that makes it healthy again")
	flags.IntVar(&o.pid, "pid", 0, "end the server with this process `number` by SIGTERM, and judge its end")
	flags.DurationVar(&o.target.DrainDelay, "drain-delay", 0, "how long it promises to serve after that")
	flags.DurationVar(&o.target.Timeout, "patience", 15*time.Second, "how long anything may take")
	flags.DurationVar(&o.target.ObserveFor, "quiet", time.Second, "how long to listen for what watches should not say")
	flags.StringVar(&o.skip, "skip", "", "comma separated `rules` that are not to be judged")
	flags.BoolVar(&o.protocol, "protocol", false, "judge by the protocol alone, not by what vitals promises")
	if err := flags.Parse(args); err != nil {
		return nil, err
	}
	return o, o.complete(flags.Args())
}

// complete fills in the target, all but its connection.
func (o *options) complete(rest []string) error {
	var errs []error
	if len(rest) > 0 {
		errs = append(errs, fmt.Errorf("unexpected argument %q", rest))
	}
	if o.addr == "" {
		errs = append(errs, errors.New("-addr is required"))
	}
	if (o.check == "") != (o.fail == "") || (o.check == "") != (o.heal == "") {
		errs = append(errs, errors.New("-check, -fail and -heal need each other"))
	}
	o.target.Names, o.target.Skip = fields(o.names), fields(o.skip)
	if o.protocol {
		for _, rule := range servicertest.Rules() {
			if rule.Source == "vitals" {
				o.target.Skip = append(o.target.Skip, rule.ID)
			}
		}
	}
	if o.probe != "" {
		o.target.Probe = servicertest.Command("sh", "-c", o.probe)
	}
	return errors.Join(errs...)
}

func fields(list string) []string {
	return strings.FieldsFunc(list, func(r rune) bool { return r == ',' || r == ' ' })
}

func (o *options) dial() (*grpc.ClientConn, error) {
	creds := insecure.NewCredentials()
	if o.tls || o.noVerify {
		// The operator said so: -tls-no-verify.
		creds = credentials.NewTLS(&tls.Config{MinVersion: tls.VersionTLS12, InsecureSkipVerify: o.noVerify})
	}
	return grpc.NewClient(o.addr, grpc.WithTransportCredentials(creds), grpc.WithDisableServiceConfig(), grpc.WithNoProxy())
}
