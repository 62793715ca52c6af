//go:build !linux && !darwin && !freebsd && !netbsd && !openbsd

package resource

import (
	"errors"
	"time"
)

func processCPU() (used time.Duration, cpus int, err error) { return 0, 0, errors.ErrUnsupported }
