package connlimit

import (
	"net"

	"golang.org/x/sys/unix"
)

// silent reports whether the peer of c has sent less than a greeting, as counted by the kernel. A kernel that does not count
// reports no segments at all, not even those that opened the connection.
func silent(c *net.TCPConn) bool {
	raw, err := c.SyscallConn()
	if err != nil {
		return false
	}
	var info *unix.TCPInfo
	var failed error
	err = raw.Control(func(fd uintptr) {
		info, failed = unix.GetsockoptTCPInfo(int(fd), unix.IPPROTO_TCP, unix.TCP_INFO)
	})
	return err == nil && failed == nil && info.Segs_in > 0 && info.Bytes_received < uint64(greeting)
}
