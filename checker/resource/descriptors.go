package resource

import (
	"context"
	"fmt"
	"strconv"

	"github.com/vitals-go/vitals/checker"
)

// measureOpenFiles measures open descriptors, in percent of the limit if there is one: without a free one no
// connection can be accepted.
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
