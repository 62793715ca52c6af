//go:build !linux && !darwin

package resource

import "errors"

// descriptors is unsupported: Windows counts handles, but does not limit them.
func descriptors() (usage, error) { return usage{}, errors.ErrUnsupported }
