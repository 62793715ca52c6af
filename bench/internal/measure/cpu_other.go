//go:build !unix

package measure

import "time"

var start = time.Now()

// CPU is the time since the process began, where the kernel does not say how long processors have worked for it.
func CPU() time.Duration { return time.Since(start) }

func childrenCPU() time.Duration { return 0 }
