//go:build !linux && !darwin && !freebsd && !netbsd && !openbsd && !windows

package resource

import (
	"errors"
	"time"
)

func processCPU() (used time.Duration, goProcs int, err error) { return 0, 0, errors.ErrUnsupported }
