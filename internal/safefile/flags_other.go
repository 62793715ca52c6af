//go:build !unix

package safefile

// Systems without these flags have no pipes in their folders either.
const (
	noWait   = 0
	noFollow = 0
)
