//go:build !unix

package connlimit

import "net"

// deferAccept returns lis: a silent peer of a Unix socket delays the end of a server here.
func deferAccept(lis net.Listener) net.Listener { return lis }
