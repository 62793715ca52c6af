// Package bearer decides by a shared secret who may see the raw causes in health reports: callers show it as
// "Authorization: Bearer <token>" (RFC 6750), in an HTTP header or in gRPC metadata.
//
// Tokens are kept as SHA-256 digests and compared in constant time, so that neither the time nor the memory of an answer
// tells anything about them. They are never logged. Several may be in force, so that one can replace another without a
// moment in which neither works; those of a file are read again when it changes.
//
// # Guessing
//
// A source, which is an IPv4 address, a /64 of IPv6 or a socket, that has shown ten wrong tokens is not listened to for a
// while: after that it has ten tries a minute. It is answered like any stranger, without details. No status code and no
// probe ever depends on a token, so nobody can take anything out by guessing. Sources share a table of fixed size, so
// that a crowd of them costs no memory; two that fall together share their tries. All callers behind one proxy are one
// source.
//
// A token can be read on its way by whoever can read a connection without TLS.
//
// # Concurrency, ownership, cost
//
// A Tokens may be used by any number of goroutines and owns none. A request without a token costs a look at the names of
// its headers; one with a token a digest and, once a second, a look at the file.
package bearer
