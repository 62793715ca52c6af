package vitals

import (
	"context"

	"github.com/vitals-go/vitals/servicer"
	"github.com/vitals-go/vitals/servicer/orcavitals"
)

// reportLoad makes what tells balancing clients the load, if it is wanted.
func (h *Health) reportLoad() (err error) {
	if !h.cfg.LoadReports {
		return nil
	}
	config := h.cfg.Load
	config.Recorder, config.Logger = h.Recorder, h.log
	h.LoadReporter, err = orcavitals.New(config)
	return err
}

// endLoadStreams ends the streams of load reports when the drain begins: GracefulStop waits for them. Nobody needs them
// then, because no load is to come any more. It returns nil when ctx ends.
func (h *Health) endLoadStreams(ctx context.Context) error {
	for report := range h.Server.Changes(ctx) {
		if report.Phase >= servicer.Draining {
			h.LoadReporter.EndStreams()
		}
	}
	return nil
}
