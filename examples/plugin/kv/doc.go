// Package kv holds what a host and its store plugins share: the handshake and the access to the store over go-plugin. The
// wire contract is plugin.kv.v1, in the folder v1.
package kv
