package promvitals

import (
	"iter"
	"slices"
	"strings"
	"sync"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/vitals-go/vitals/interceptor"
)

// callFamilies are the families of one side, server or client.
type callFamilies struct {
	started, handled, latency, received, sent, inFlight *family
	panics                                              *family // nil for clients
	all                                                 []*family

	bounds []float64
	// edges holds, for each of bounds, how many of the recorder's buckets lie below it.
	edges []uint64
	// native adds native histograms, allCodes a series for each code that never came.
	native, allCodes bool

	// mu guards labels, which only ever grows, by the methods that the recorder knows.
	mu     sync.Mutex
	labels map[methodKey]*methodLabels
}

type methodKey struct{ service, name, kind string }

// methodLabels are the label pairs of one method, made once.
type methodLabels struct {
	plain  []*dto.LabelPair
	byCode [interceptor.Codes][]*dto.LabelPair // nil until the code was seen
	codes  int                                 // those that are not nil
}

func newCallFamilies(side string, bounds []float64) *callFamilies {
	peer := map[string]string{"server": "on the server", "client": "by the client"}[side]
	f := &callFamilies{bounds: bounds, edges: edges(bounds), labels: map[methodKey]*methodLabels{}}
	of := func(kind dto.MetricType, name, help string, more ...string) *family {
		// Sorted by name, as the exposition wants them: grpc_code comes first.
		made := newFamily(kind, "grpc_"+side+"_"+name, help, append(more, "grpc_method", "grpc_service", "grpc_type")...)
		f.all = append(f.all, made)
		return made
	}
	f.started = of(counter, "started_total", "Total number of RPCs started "+peer+".")
	f.handled = of(counter, "handled_total", "Total number of RPCs completed "+peer+", by code.", "grpc_code")
	f.latency = of(histogram, "handling_seconds", "How long RPCs took until they were completed "+peer+".")
	f.received = of(counter, "msg_received_total", "Total number of messages received "+peer+".")
	f.sent = of(counter, "msg_sent_total", "Total number of messages sent "+peer+".")
	f.inFlight = of(gauge, "in_flight", "RPCs that have started and not ended "+peer+".")
	if side == "server" { // a client has no handler that could panic
		f.panics = of(counter, "panics_total", "Total number of RPCs whose handler panicked "+peer+".")
	}
	return f
}

// edges finds out where the bounds lie among the recorder's buckets: what it counts below each bound when every bucket
// holds one.
func edges(bounds []float64) []uint64 {
	var ones []uint64
	for i := 0; i == 0 || interceptor.BucketBound(i-1) != interceptor.BucketBound(i); i++ {
		ones = append(ones, 1)
	}
	return interceptor.Histogram{Counts: ones}.Cumulative(bounds)
}

// methodMetrics are the metrics of one method but for its codes, in one piece.
type methodMetrics struct {
	started, received, sent, panics count
	inFlight                        level
	latency                         distribution
}

func (f *callFamilies) collect(
	methods iter.Seq[*interceptor.Method], since *timestamppb.Timestamp, metrics chan<- prometheus.Metric,
) {
	var handled byCode
	for method := range methods {
		labels := f.labelsOf(method)
		total := &method.Total
		of := func(family *family, n uint64) count {
			return count{family: family, pairs: labels.plain, value: float64(n), since: since}
		}
		m := &methodMetrics{
			started:  of(f.started, total.Started),
			received: of(f.received, total.MsgReceived),
			sent:     of(f.sent, total.MsgSent),
			inFlight: level{family: f.inFlight, pairs: labels.plain, value: float64(total.InFlight())},
		}
		metrics <- &m.started
		metrics <- &m.received
		metrics <- &m.sent
		metrics <- &m.inFlight
		if f.panics != nil {
			m.panics = of(f.panics, total.Panics)
			metrics <- &m.panics
		}
		m.latency = distribution{family: f.latency, pairs: labels.plain, since: since}
		f.fill(&m.latency, total.Latency)
		examples := examplesOf(method.Exemplars)
		if len(examples) > 0 {
			m.latency.illustrate(examples, f.native)
		}
		metrics <- &m.latency
		f.collectCodes(total, labels, since, examples, &handled)
	}
	for _, code := range codesByNames {
		for _, m := range handled[code] {
			metrics <- m
		}
	}
}

// byCode holds the metrics of all methods by code. The registry sorts each family by its labels, of which grpc_code is
// the first: it has far less to do when that is the order in which it gets them.
type byCode [interceptor.Codes][]*count

// codesByNames is the order of the labels; read-only.
var codesByNames = func() (order [interceptor.Codes]codes.Code) {
	for code := range order {
		order[code] = codes.Code(code)
	}
	slices.SortFunc(order[:], func(a, b codes.Code) int { return strings.Compare(a.String(), b.String()) })
	return order
}()

func (f *callFamilies) collectCodes(
	total *interceptor.Stats, labels *methodLabels, since *timestamppb.Timestamp, examples []example, handled *byCode,
) {
	made := make([]count, 0, labels.codes)
	newest := newestByCode(examples)
	for code, n := range total.ByCode {
		if pairs := labels.byCode[code]; pairs != nil {
			made = append(made, count{family: f.handled, pairs: pairs, value: float64(n), since: since})
			made[len(made)-1].out.Exemplar = newest[code]
			handled[code] = append(handled[code], &made[len(made)-1])
		}
	}
}

// fill converts the recorder's buckets. All that d holds is counted here, so that count and buckets agree.
func (f *callFamilies) fill(d *distribution, h interceptor.Histogram) {
	d.bars, d.sum = newBars(f.bounds), h.Sum.Seconds()
	next := 0
	for i := range d.bars {
		for ; next < int(f.edges[i]) && next < len(h.Counts); next++ {
			d.count += h.Counts[next]
		}
		d.bars[i].cumulative = d.count
	}
	for ; next < len(h.Counts); next++ {
		d.count += h.Counts[next]
	}
	if f.native {
		fillNative(&d.out, h)
	}
}

// labelsOf returns the method's labels, with those of every code that it has a series for: what it has ended with, OK,
// and once it was called, all failures. A rate sees no step from nothing to something, and what alerts are made of must
// not miss the first errors.
func (f *callFamilies) labelsOf(method *interceptor.Method) *methodLabels {
	f.mu.Lock()
	defer f.mu.Unlock()
	key := methodKey{method.Service, method.Name, string(method.Type)}
	labels := f.labels[key]
	if labels == nil {
		labels = &methodLabels{plain: f.started.pairs(key.name, key.service, key.kind)}
		f.labels[key] = labels
	}
	wanted := func(code int) bool {
		return labels.byCode[code] == nil && (f.allCodes || code == 0 || method.Total.ByCode[code] > 0 ||
			method.Total.Started > 0 && interceptor.IsFailure(codes.Code(code)))
	}
	missing := false
	for code := range labels.byCode {
		missing = missing || wanted(code)
	}
	if !missing {
		return labels
	}
	// A scrape beside this one may be reading: never change what it holds.
	grown := *labels
	for code := range grown.byCode {
		if wanted(code) {
			grown.byCode[code] = f.handled.pairs(codes.Code(code).String(), key.name, key.service, key.kind)
			grown.codes++
		}
	}
	f.labels[key] = &grown
	return &grown
}
