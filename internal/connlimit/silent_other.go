//go:build !linux

package connlimit

import "net"

// silent returns false: only Linux counts what a peer has sent.
func silent(*net.TCPConn) bool { return false }
