// Package pki reads certificates: those of files that change under a running process, and those of peers.
package pki

import "crypto/x509"

// Verified returns the peer's own certificate out of tls.ConnectionState.VerifiedChains, nil if the listener has
// verified none: a certificate that was only shown proves nothing.
func Verified(chains [][]*x509.Certificate) *x509.Certificate {
	if len(chains) == 0 || len(chains[0]) == 0 {
		return nil
	}
	return chains[0][0]
}
