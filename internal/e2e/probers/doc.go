// Package probers lets strangers probe the example server: HAProxy, which takes a server out and brings it back by what
// its /ready says (haproxy.cfg shows how), and a crowd of probers that ask a thousand times a second while a dependency
// hangs. Only tests live here; they skip, and say why, where HAProxy is not installed.
package probers
