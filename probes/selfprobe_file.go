package probes

import (
	"fmt"
	"time"
)

// probeFile reads a health file. Whatever keeps it from being believed means that traffic may not come.
func (o *probeOptions) probeFile() probeResult {
	status, err := ReadFile(o.file)
	if err != nil {
		return probeResult{code: exitNotServing, text: err.Error()}
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
		return probeResult{code: exitNotServing, text: "not " + o.purpose + "; " + text}
	}
	return probeResult{text: text}
}
