package dependency

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"slices"
	"strings"
	"syscall"
)

// explain adds to err what an operator should check next. Target is the address or URL that was called.
func explain(err error, target string) error {
	for _, hint := range []func(error, string) string{hintTLS, hintName, hintSystem, hintTransport} {
		if text := hint(err, target); text != "" {
			return fmt.Errorf("%w: %s", err, text)
		}
	}
	return err
}

func hintTLS(err error, target string) string {
	if invalid, ok := errors.AsType[x509.CertificateInvalidError](err); ok && invalid.Reason == x509.Expired {
		return "the certificate of " + target + " is not valid now: renew it, and compare the clocks"
	}
	if _, ok := errors.AsType[x509.UnknownAuthorityError](err); ok {
		return "the certificate of " + target + " comes from an authority that is not trusted here: add its CA to RootCAs"
	}
	if _, ok := errors.AsType[x509.HostnameError](err); ok {
		return "the certificate of " + target + " is for other names: use one of them, or set ServerName"
	}
	if _, ok := errors.AsType[tls.RecordHeaderError](err); ok {
		return target + " does not use TLS: disable it here, or correct the port"
	}
	if text := err.Error(); strings.Contains(text, "server gave HTTP response to HTTPS client") {
		return target + " does not use TLS: use http://"
	} else if strings.Contains(text, "tls: certificate required") || strings.Contains(text, "tls: bad certificate") {
		return target + " requires a client certificate: set Certificates"
	}
	return ""
}

func hintName(err error, target string) string {
	failed, ok := errors.AsType[*net.DNSError](err)
	switch {
	case !ok:
		return ""
	case failed.IsNotFound:
		return "the name in " + target + " does not exist: check its spelling and the resolver of this machine"
	case failed.IsTimeout:
		return "the name server did not answer in time: check that this machine can reach it"
	default:
		return "the name server could not answer for " + target + ": query it by hand"
	}
}

// The errors of sockets, first by the names of Unix, then by the numbers of Windows.
var (
	connRefused  = []error{syscall.ECONNREFUSED, syscall.Errno(10061)}
	closed       = []error{syscall.ECONNRESET, syscall.EPIPE, syscall.Errno(10054), syscall.Errno(10053), io.EOF, io.ErrUnexpectedEOF}
	noRoute      = []error{syscall.EHOSTUNREACH, syscall.ENETUNREACH, syscall.Errno(10065), syscall.Errno(10051)}
	tooManyFiles = []error{syscall.EMFILE, syscall.ENFILE, syscall.Errno(10024), syscall.Errno(10055)}
)

func isAny(err error, of []error) bool {
	return slices.ContainsFunc(of, func(one error) bool { return errors.Is(err, one) })
}

func hintSystem(err error, target string) string {
	switch {
	case isAny(err, connRefused):
		return "nothing listens at " + target + ": check that the service is started and the address is right"
	case isAny(err, noRoute):
		return "no route to " + target + ": check the network and the address"
	case isAny(err, tooManyFiles):
		return "no file descriptor is left: raise the limit, or find what leaks connections"
	case errors.Is(err, fs.ErrPermission):
		return "this process may not connect to " + target + ": check the socket's mode, the firewall and network policies"
	case errors.Is(err, fs.ErrNotExist):
		return "the socket " + target + " does not exist: check that the service is started"
	}
	return ""
}

func hintTransport(err error, target string) string {
	timeout, ok := errors.AsType[net.Error](err)
	switch {
	case errors.Is(err, context.Canceled):
		return ""
	case errors.Is(err, context.DeadlineExceeded), ok && timeout.Timeout():
		return target + " did not answer in time: check its load and firewalls"
	case isAny(err, closed),
		strings.Contains(err.Error(), "server closed idle connection"): // net/http does not export this error
		return target + " closed the connection: check whether it restarts or expects TLS"
	}
	return ""
}
