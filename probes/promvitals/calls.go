package promvitals

import (
	"iter"
	"slices"
	"strings"
	"sync"

	dto "github.com/prometheus/client_model/go"
	"google.golang.org/grpc/codes"

	"github.com/vitals-go/vitals/interceptor"
	"github.com/vitals-go/vitals/internal/exphist"
)

// callFamilies are the families of one side, server or client.
type callFamilies struct {
	started, handled, latency, received, sent, inFlight *family
	panics                                              *family // nil for clients
	all                                                 []*family

	// edges holds, for each of latency's bounds, how many of the recorder's buckets lie below it.
	edges []uint64
	// native adds native histograms, allCodes a series for every code.
	native, allCodes bool

	// mu guards labels, which grows up to the number of methods of the recorder.
	mu     sync.Mutex
	labels map[methodKey]*methodLabels
}

type methodKey struct{ service, name, kind string }

// methodLabels are the labels of one method. They are immutable.
type methodLabels struct {
	method labels
	byCode [interceptor.NumCodes]labels // nil for codes without a series
}

func newCallFamilies(side string, bounds []float64) *callFamilies {
	peer := map[string]string{"server": "on the server", "client": "by the client"}[side]
	f := &callFamilies{edges: edges(bounds), labels: map[methodKey]*methodLabels{}}
	add := func(made *family) *family {
		f.all = append(f.all, made)
		return made
	}
	prefix, method := "grpc_"+side+"_", []string{"grpc_method", "grpc_service", "grpc_type"}
	f.started = add(newFamily(counter, prefix+"started_total", "Total number of RPCs started "+peer+".", method...))
	f.handled = add(newFamily(counter, prefix+"handled_total", "Total number of RPCs completed "+peer+", by code.", append([]string{"grpc_code"}, method...)...))
	f.latency = add(newHistogramFamily(bounds, prefix+"handling_seconds", "How long RPCs took until they were completed "+peer+".", method...))
	f.received = add(newFamily(counter, prefix+"msg_received_total", "Total number of messages received "+peer+".", method...))
	f.sent = add(newFamily(counter, prefix+"msg_sent_total", "Total number of messages sent "+peer+".", method...))
	f.inFlight = add(newFamily(gauge, prefix+"in_flight", "RPCs that have started and not ended "+peer+".", method...))
	if side == "server" {
		f.panics = add(newFamily(counter, prefix+"panics_total", "Total number of RPCs whose handler panicked "+peer+".", method...))
	}
	return f
}

// edges returns how many of the recorder's buckets lie below each bound: the cumulative counts of a histogram that holds
// one observation per bucket.
func edges(bounds []float64) []uint64 {
	var ones []uint64
	for i := 0; i == 0 || interceptor.BucketBound(i-1) != interceptor.BucketBound(i); i++ {
		ones = append(ones, 1)
	}
	return interceptor.Histogram{Counts: ones}.Cumulative(bounds)
}

func (f *callFamilies) collect(methods iter.Seq[*interceptor.Method], e *emitter) {
	// The registry sorts each family by its labels, of which grpc_code is the first. Sending handled in this order makes
	// the sort several times cheaper.
	var handled [interceptor.NumCodes][]*counterMetric
	for method := range methods {
		l, total := f.labelsOf(method), &method.Total
		e.setCreated(method.Created(codes.OK))
		e.counter(f.started, l.method, total.Started)
		e.counter(f.received, l.method, total.MsgReceived)
		e.counter(f.sent, l.method, total.MsgSent)
		e.gauge(f.inFlight, l.method, float64(total.InFlight()))
		if f.panics != nil {
			e.counter(f.panics, l.method, total.Panics)
		}
		exemplars := exemplarsOf(method.Exemplars)
		latency := e.newHistogram(f.latency, l.method)
		f.fill(latency, &total.Latency)
		latency.addExemplars(exemplars)
		e.metrics <- latency
		newest := newestByCode(exemplars)
		for code, series := range l.byCode {
			if series != nil {
				e.setCreated(method.Created(codes.Code(code)))
				handled[code] = append(handled[code], e.newCounter(f.handled, series, total.ByCode(codes.Code(code)), newest[code]))
			}
		}
	}
	for _, code := range codesByName {
		for _, m := range handled[code] {
			e.metrics <- m
		}
	}
}

// codesByName holds all codes in the order of their names; read-only.
var codesByName = func() (order [interceptor.NumCodes]codes.Code) {
	for code := range order {
		order[code] = codes.Code(code)
	}
	slices.SortFunc(order[:], func(a, b codes.Code) int { return strings.Compare(a.String(), b.String()) })
	return order
}()

// fill converts the recorder's buckets. The count is their sum, so that it agrees with the buckets.
func (f *callFamilies) fill(m *histogramMetric, h *interceptor.Histogram) {
	m.sum = h.Sum.Seconds()
	next := 0
	for i := range m.buckets {
		for ; next < int(f.edges[i]) && next < len(h.Counts); next++ {
			m.count += h.Counts[next]
		}
		m.buckets[i].cumulative = m.count
	}
	for ; next < len(h.Counts); next++ {
		m.count += h.Counts[next]
	}
	if f.native {
		fillNative(&m.out, h)
	}
}

// labelsOf returns the labels of a method with those of every code that has a series; see Config.AllCodes.
func (f *callFamilies) labelsOf(method *interceptor.Method) *methodLabels {
	f.mu.Lock()
	defer f.mu.Unlock()
	key := methodKey{method.Service, method.Name, string(method.Type)}
	l := f.labels[key]
	if l == nil {
		l = &methodLabels{method: f.started.with(key.name, key.service, key.kind)}
		f.labels[key] = l
	}
	missing := func(code int) bool {
		return l.byCode[code] == nil && (f.allCodes || code == 0 || method.Total.ByCode(codes.Code(code)) > 0 ||
			method.Total.Started > 0 && interceptor.IsFailure(codes.Code(code)))
	}
	grown := l
	for code := range l.byCode {
		if missing(code) {
			if grown == l {
				grown = new(*l) // a concurrent scrape may be reading l
			}
			grown.byCode[code] = f.handled.with(codes.Code(code).String(), key.name, key.service, key.kind)
		}
	}
	f.labels[key] = grown
	return grown
}

// nativeZero is client_golang's width of the zero bucket, which is always empty here.
const nativeZero = 2.938735877055719e-39

// fillNative adds h as a native histogram: https://prometheus.io/docs/specs/native_histograms/.
func fillNative(out *dto.Histogram, h *interceptor.Histogram) {
	schema, threshold, zeros := int32(exphist.Scale), nativeZero, uint64(0)
	out.Schema, out.ZeroThreshold, out.ZeroCount = &schema, &threshold, &zeros
	last, before := 0, int64(0) // the last bucket written, and its count
	for bucket, n := range h.Counts {
		if n == 0 {
			continue
		}
		index, end := exphist.Index(bucket, interceptor.BucketBound), len(out.PositiveSpan)-1
		switch gap := index - last - 1; {
		case end >= 0 && gap < 0: // two of the recorder's buckets fall into one native bucket
			out.PositiveDelta[len(out.PositiveDelta)-1] += int64(n)
			before += int64(n)
			continue
		case end >= 0 && gap == 0:
			*out.PositiveSpan[end].Length++
		default:
			offset, length := int32(gap), uint32(1)
			if end < 0 {
				offset = int32(index) // the first offset counts from 0
			}
			out.PositiveSpan = append(out.PositiveSpan, &dto.BucketSpan{Offset: &offset, Length: &length})
		}
		out.PositiveDelta = append(out.PositiveDelta, int64(n)-before)
		last, before = index, int64(n)
	}
	if len(out.PositiveSpan) == 0 { // an empty span marks a native histogram
		out.PositiveSpan = []*dto.BucketSpan{{Offset: new(int32), Length: new(uint32)}}
	}
}
