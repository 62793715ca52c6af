// Package bearer authorizes callers to see raw errors in health reports by a shared secret, sent as
// "Authorization: Bearer <token>" (RFC 6750) in an HTTP header or in gRPC metadata.
//
// Tokens are stored as SHA-256 digests, compared in constant time and never logged. Several may be valid at once, so that
// one can replace another without an interruption; a file of tokens is reloaded when it changes. A wrong token is treated
// like a missing one. Tokens sent over a connection without TLS can be read by others.
package bearer
