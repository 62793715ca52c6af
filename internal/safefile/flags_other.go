//go:build !unix

package safefile

// Systems without these flags have no named pipes in directories.
const (
	noWait   = 0
	noFollow = 0
)
