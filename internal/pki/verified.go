// Package pki loads certificates from files that may change, and reads those of peers.
package pki

import "crypto/x509"

// Verified returns the peer's leaf certificate in tls.ConnectionState.VerifiedChains, nil if none has been verified.
func Verified(chains [][]*x509.Certificate) *x509.Certificate {
	if len(chains) == 0 || len(chains[0]) == 0 {
		return nil
	}
	return chains[0][0]
}
