package healthcheck

import (
	"fmt"
	"time"

	"github.com/vitals-go/vitals/probes"
)

// probeFile reads a health file. An invalid one is not serving.
func (o *options) probeFile() result {
	status, err := probes.ReadFile(o.file)
	if err != nil {
		return result{code: exitNotServing, text: err.Error()}
	}
	ok := status.Ready
	switch o.purpose {
	case "live":
		ok = status.Live
	case "healthy":
		ok = status.Healthy
	}
	text := fmt.Sprintf("status: %s, %s, written %v ago", status.Status, status.Phase,
		time.Since(status.Timestamp).Round(time.Millisecond))
	if !ok {
		return result{code: exitNotServing, text: "not " + o.purpose + "; " + text}
	}
	return result{text: text}
}
