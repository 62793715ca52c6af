package promvitals

import (
	"sync"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"google.golang.org/grpc/codes"

	"github.com/vitals-go/vitals/interceptor"
)

// callFamilies are the families of one side, server or client.
type callFamilies struct {
	started, handled, latency, received, sent, inFlight, panics *family

	bounds []float64
	// mu guards labels, which only ever grows, by the methods that the recorder knows.
	mu     sync.Mutex
	labels map[methodKey]*methodLabels
}

type methodKey struct{ service, name, kind string }

// methodLabels are the label pairs of one method, made once.
type methodLabels struct {
	plain  []*dto.LabelPair
	byCode [interceptor.Codes][]*dto.LabelPair // nil until the code was seen
}

func newCallFamilies(side string, bounds []float64) *callFamilies {
	peer := map[string]string{"server": "on the server", "client": "by the client"}[side]
	of := func(kind dto.MetricType, name, help string, more ...string) *family {
		// Sorted by name, as the exposition wants them: grpc_code comes first.
		return newFamily(kind, "grpc_"+side+"_"+name, help, append(more, "grpc_method", "grpc_service", "grpc_type")...)
	}
	return &callFamilies{
		started:  of(counter, "started_total", "Total number of RPCs started "+peer+"."),
		handled:  of(counter, "handled_total", "Total number of RPCs completed "+peer+", by code.", "grpc_code"),
		latency:  of(histogram, "handling_seconds", "How long RPCs took until they were completed "+peer+"."),
		received: of(counter, "msg_received_total", "Total number of messages received "+peer+"."),
		sent:     of(counter, "msg_sent_total", "Total number of messages sent "+peer+"."),
		inFlight: of(gauge, "in_flight", "RPCs that have started and not ended "+peer+"."),
		panics:   of(counter, "panics_total", "Total number of RPCs whose handler panicked "+peer+"."),
		bounds:   bounds,
		labels:   map[methodKey]*methodLabels{},
	}
}

func (f *callFamilies) describe(descs chan<- *prometheus.Desc) {
	for _, family := range []*family{f.started, f.handled, f.latency, f.received, f.sent, f.inFlight, f.panics} {
		descs <- family.desc
	}
}

func (f *callFamilies) collect(snapshot *interceptor.Snapshot, metrics chan<- prometheus.Metric) {
	for i := range snapshot.Methods {
		method := &snapshot.Methods[i]
		labels := f.labelsOf(method)
		total := &method.Total
		plain := [...]number{
			{family: f.started, pairs: labels.plain, value: float64(total.Started)},
			{family: f.inFlight, pairs: labels.plain, value: float64(total.InFlight())},
			{family: f.received, pairs: labels.plain, value: float64(total.MsgReceived)},
			{family: f.sent, pairs: labels.plain, value: float64(total.MsgSent)},
			{family: f.panics, pairs: labels.plain, value: float64(total.Panics)},
		}
		for i := range plain {
			metrics <- &plain[i]
		}
		for code, n := range total.ByCode {
			if pairs := labels.byCode[code]; pairs != nil {
				metrics <- &number{family: f.handled, pairs: pairs, value: float64(n)}
			}
		}
		metrics <- &distribution{
			family: f.latency, pairs: labels.plain, bounds: f.bounds,
			counts: total.Latency.Cumulative(f.bounds), count: total.Latency.Count(), sum: total.Latency.Sum.Seconds(),
		}
	}
}

// labelsOf returns the method's labels, with those of every code that it has ended with. OK is there from the start, so
// that a rate has something to start from.
func (f *callFamilies) labelsOf(method *interceptor.Method) *methodLabels {
	f.mu.Lock()
	defer f.mu.Unlock()
	key := methodKey{method.Service, method.Name, string(method.Type)}
	labels := f.labels[key]
	if labels == nil {
		labels = &methodLabels{plain: pairs(f.started.labels, []string{key.name, key.service, key.kind})}
		f.labels[key] = labels
	}
	missing := false
	for code, n := range method.Total.ByCode {
		missing = missing || (labels.byCode[code] == nil && (n > 0 || code == 0))
	}
	if !missing {
		return labels
	}
	// A scrape beside this one may be reading: never change what it holds.
	grown := *labels
	for code, n := range method.Total.ByCode {
		if grown.byCode[code] == nil && (n > 0 || code == 0) {
			grown.byCode[code] = pairs(f.handled.labels, []string{codes.Code(code).String(), key.name, key.service, key.kind})
		}
	}
	f.labels[key] = &grown
	return &grown
}
