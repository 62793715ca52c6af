// Package kv is what a host and its store plugins agree on: the handshake and how the store is reached over go-plugin.
// The wire contract itself is plugin.kv.v1, in the folder v1.
package kv
