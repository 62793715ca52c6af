package healthcheck

import (
	"bytes"
	"context"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// FuzzArguments gives arguments to the self-probe, as far as it asks nobody: a mistake is told once, on the standard
// error, with the exit code for it, and what is accepted holds together.
func FuzzArguments(f *testing.F) {
	for _, line := range []string{
		"", "-h", "--help", "-addr\nlocalhost:1", "-addr\n:1\n-file\nx", "-file\nmissing\n-for\nlive", "-file\nmissing\n-for\nalive", "-http\nhttp://a/", "-http\nftp://a",
		"-addr=unix:///x\n-service=\xff\n-gzip", "-addr\na:1\n-connect-timeout\n0s", "-addr\na:1\n-rpc-timeout=-1s", "-addr\na\n-rpc-header\nx", "-addr\na:1\n-rpc-header\nx: y\n-rpc-header=: z",
		"-addr\na:1\n-tls\n-tls-no-verify\n-tls-server-name\nb", "-tls-ca-cert\nx", "-addr\na:1\n-tls\n-tls-client-cert\nx", "-v=maybe", "-v\nrest", "-\n--\n---", "-file=\x00",
		"-addr\n[::1]:1", "-addr\npassthrough:///x", "-http\nhttps://[::1", "-user-agent\n\r\nX: y\n-http\nhttp://a/",
	} {
		f.Add(line)
	}
	f.Fuzz(func(t *testing.T, line string) {
		args := strings.Split(line, "\n")
		options, err := parse(args, new(bytes.Buffer))
		switch {
		case err != nil && !strings.Contains(err.Error(), "help requested"):
			mustRefuse(t, args)
		case err == nil:
			mustHoldTogether(t, options)
		}
	})
}

func mustRefuse(t *testing.T, args []string) {
	t.Helper()
	var out, complaint bytes.Buffer
	if code := Main(args, &out, &complaint); code != exitArguments || out.Len() > 0 || !strings.HasPrefix(complaint.String(), "error: ") {
		t.Errorf("%q ends with %d, %q, %q", args, code, &out, &complaint)
	}
	if strings.Count(complaint.String(), "Usage of") > 0 {
		t.Errorf("%q is answered with the help text", args)
	}
}

func mustHoldTogether(t *testing.T, o *options) {
	t.Helper()
	endpoints := slices.DeleteFunc([]string{o.addr, o.url, o.file}, func(endpoint string) bool { return endpoint == "" })
	if o.version {
		return
	}
	if len(endpoints) != 1 || o.connectTimeout <= 0 || o.rpcTimeout <= 0 || !slices.Contains([]string{"live", "ready", "healthy"}, o.purpose) ||
		(o.clientCert == "") != (o.clientKey == "") || o.noVerify && (o.caCert != "" || o.serverName != "") {
		t.Errorf("accepted %+v", o)
	}
	for name := range o.headers {
		if strings.TrimSpace(name) != name || name == "" {
			t.Errorf("accepted the header %q", name)
		}
	}
	switch {
	case o.url != "":
		request, err := o.request(context.Background())
		if err == nil && (request.URL.Scheme != "http" && request.URL.Scheme != "https" || request.URL.Host == "") {
			t.Errorf("asks %q", request.URL)
		}
		if _, bad := url.Parse(o.url); bad != nil && err == nil {
			t.Errorf("asks %q: %v", o.url, bad)
		}
	case o.file != "" && filepath.Base(o.file) == o.file: // a name in this folder, where there is no health file
		if result := o.probeFile(); result.code != exitNotServing {
			t.Errorf("%q is a health file: %+v", o.file, result)
		}
	}
}
