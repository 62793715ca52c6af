package orcavitals

import (
	orcapb "github.com/cncf/xds/go/xds/data/orca/v3"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/proto"
)

// unset is an unknown value, as in orca.ServerMetrics.
const unset = -1

// report is one immutable report.
type report struct {
	cpu, memory, application, qps, eps float64
	// message is sent on streams, trailer at the end of calls.
	message *orcapb.OrcaLoadReport
	trailer metadata.MD
}

func unknown() *report {
	return &report{cpu: unset, memory: unset, application: unset, qps: unset, eps: unset}
}

// report returns the report of a window, nil before the second sample.
func (r *Reporter) report(w *window) *report {
	if len(w.samples) < 2 {
		return nil
	}
	m := unknown()
	m.cpu, m.memory = w.cpu(), w.newest().memory
	if r.cfg.Recorder != nil {
		m.qps, m.eps = w.rates()
	}
	switch {
	case r.cfg.Utilization != nil:
		m.application = w.application()
	case r.cfg.MaxInFlight > 0:
		m.application = max(w.inFlight()/float64(r.cfg.MaxInFlight), m.cpu)
	}
	m.message = &orcapb.OrcaLoadReport{
		CpuUtilization: max(m.cpu, 0), MemUtilization: max(m.memory, 0), ApplicationUtilization: max(m.application, 0),
		RpsFractional: max(m.qps, 0), Eps: max(m.eps, 0),
	}
	text, err := proto.Marshal(m.message)
	if err != nil {
		return nil // cannot happen: all values are numbers
	}
	m.trailer = metadata.Pairs("endpoint-load-metrics-bin", string(text))
	return m
}
