package resource

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/vitals-go/vitals/checker"
)

// openFilesCheck returns nil where open files cannot be counted, or have no limit to be compared with.
func openFilesCheck(cfg Config) measure {
	_, own := cfg.Limits[openFiles]
	if files, err := descriptors(); errors.Is(err, errors.ErrUnsupported) || files.Total == 0 && !own {
		return nil
	}
	return measureOpenFiles
}

// measureOpenFiles measures open descriptors, in percent of the limit if there is one.
func measureOpenFiles(context.Context) (checker.Measurement, error) {
	files, err := descriptors()
	if err != nil {
		return checker.Measurement{}, fmt.Errorf("counting open files: %w", err)
	}
	if files.Total == 0 {
		return checker.Measurement{Value: float64(files.Used)}, nil
	}
	return checker.Measurement{
		Value: files.percent(), Unit: "%", Source: "of the limit (" + strconv.FormatUint(files.Total, 10) + ")",
	}, nil
}
