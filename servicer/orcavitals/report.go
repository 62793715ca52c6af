package orcavitals

import (
	orcapb "github.com/cncf/xds/go/xds/data/orca/v3"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/orca"
	"google.golang.org/protobuf/proto"
)

// unset is what is not known, as in orca.ServerMetrics.
const unset = -1

// trailerKey is where clients look for the report of a call.
const trailerKey = "endpoint-load-metrics-bin"

// report is one immutable edition.
type report struct {
	cpu, memory, application, qps, eps float64
	// message is sent on streams and trailer at the end of calls; both are shared and never written to.
	message *orcapb.OrcaLoadReport
	trailer metadata.MD
}

// unknown returns what a report is made of.
func unknown() *report {
	return &report{cpu: unset, memory: unset, application: unset, qps: unset, eps: unset}
}

// report makes a report of what was seen, nil if that is too little.
func (r *Reporter) report(seen *window) *report {
	if len(seen.samples) < 2 {
		return nil
	}
	made := unknown()
	made.cpu = seen.cpu()
	made.memory = seen.samples[len(seen.samples)-1].memory
	if r.cfg.Recorder != nil {
		made.qps, made.eps = seen.rates()
	}
	switch {
	case r.cfg.Utilization != nil:
		made.application = seen.used()
	case r.cfg.MaxInFlight > 0:
		made.application = max(seen.inFlight()/float64(r.cfg.MaxInFlight), made.cpu)
	}
	made.message = &orcapb.OrcaLoadReport{
		CpuUtilization: known(made.cpu), MemUtilization: known(made.memory), ApplicationUtilization: known(made.application),
		RpsFractional: known(made.qps), Eps: known(made.eps),
	}
	text, err := proto.Marshal(made.message)
	if err != nil {
		return nil // Numbers always have a text.
	}
	made.trailer = metadata.Pairs(trailerKey, string(text))
	return made
}

// known makes of an unset value what proto3 takes for one.
func known(value float64) float64 { return max(value, 0) }

func (m *report) metrics() *orca.ServerMetrics {
	return &orca.ServerMetrics{
		CPUUtilization: m.cpu, MemUtilization: m.memory, AppUtilization: m.application, QPS: m.qps, EPS: m.eps,
		Utilization: map[string]float64{}, RequestCost: map[string]float64{}, NamedMetrics: map[string]float64{},
	}
}
