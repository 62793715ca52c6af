package servicer

import (
	"net"

	"golang.org/x/sys/unix"
)

// silent reports whether the peer has sent less than a greeting. The kernel has counted it, so nobody else had to.
// One that does not count has not even seen the segments that opened the connection, and is not believed.
func silent(c *net.TCPConn) bool {
	raw, err := c.SyscallConn()
	if err != nil {
		return false
	}
	var info *unix.TCPInfo
	var asked error
	err = raw.Control(func(fd uintptr) {
		info, asked = unix.GetsockoptTCPInfo(int(fd), unix.IPPROTO_TCP, unix.TCP_INFO)
	})
	return err == nil && asked == nil && info.Segs_in > 0 && info.Bytes_received < greeting
}
