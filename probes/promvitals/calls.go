package promvitals

import (
	"iter"
	"slices"
	"strings"
	"sync"

	dto "github.com/prometheus/client_model/go"
	"google.golang.org/grpc/codes"

	"github.com/vitals-go/vitals/interceptor"
)

// callFamilies are the families of one side, server or client.
type callFamilies struct {
	started, handled, latency, received, sent, inFlight *family
	panics                                              *family // nil for clients
	all                                                 []*family

	// edges holds, for each of latency's bounds, how many of the recorder's buckets lie below it.
	edges []uint64
	// native adds native histograms, allCodes a series for each code that never came.
	native, allCodes bool

	// mu guards labels, which only ever grows, by the methods that the recorder knows.
	mu     sync.Mutex
	labels map[methodKey]*methodLabels
}

type methodKey struct{ service, name, kind string }

// methodLabels are the labels of one method, made once.
type methodLabels struct {
	plain  *labels
	byCode [interceptor.Codes]*labels // nil until the code was seen
}

// newSides returns the families of both sides, with latencies in buckets of bounds.
func newSides(bounds []float64) (server, client *callFamilies) {
	server, client = newCallFamilies("server", bounds), newCallFamilies("client", bounds)
	first := len(healthFamilies)
	placed(first, server.all...)
	placed(first+len(server.all), client.all...)
	return server, client
}

func newCallFamilies(side string, bounds []float64) *callFamilies {
	peer := map[string]string{"server": "on the server", "client": "by the client"}[side]
	f := &callFamilies{edges: edges(bounds), labels: map[methodKey]*methodLabels{}}
	of := func(kind, name, help string, more ...string) *family {
		// Sorted by name, as the exposition wants them: grpc_code comes first.
		made := newFamily(kind, "grpc_"+side+"_"+name, help, append(more, "grpc_method", "grpc_service", "grpc_type")...)
		f.all = append(f.all, made)
		return made
	}
	f.started = of(counter, "started_total", "Total number of RPCs started "+peer+".")
	f.handled = of(counter, "handled_total", "Total number of RPCs completed "+peer+", by code.", "grpc_code")
	f.latency = of(histogram, "handling_seconds", "How long RPCs took until they were completed "+peer+".").over(bounds)
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

func (f *callFamilies) collect(methods iter.Seq[*interceptor.Method], to sink) {
	var handled byCode
	latency := newSpread(f.latency)
	for method := range methods {
		l, total := f.labelsOf(method), &method.Total
		to.count(f.started, l.plain, total.Started, nil)
		to.count(f.received, l.plain, total.MsgReceived, nil)
		to.count(f.sent, l.plain, total.MsgSent, nil)
		to.level(f.inFlight, l.plain, float64(total.InFlight()))
		if f.panics != nil {
			to.count(f.panics, l.plain, total.Panics, nil)
		}
		f.fill(latency, &total.Latency)
		latency.examples = examplesOf(method.Exemplars)
		to.spread(f.latency, l.plain, latency)
		handled.add(total, l, latency.examples)
	}
	for _, code := range codesByNames {
		for _, n := range handled[code] {
			to.count(f.handled, n.labels, n.calls, n.exemplar)
		}
	}
}

// byCode holds what all methods ended with. The registry sorts each family by its labels, of which grpc_code is the
// first: it has far less to do when that is the order in which it gets them.
type byCode [interceptor.Codes][]codeCount

// codeCount is how many calls of one method ended with one code.
type codeCount struct {
	labels   *labels
	calls    uint64
	exemplar *dto.Exemplar // nil if there is none
}

func (b *byCode) add(total *interceptor.Stats, l *methodLabels, examples []example) {
	newest := newestByCode(examples)
	for code, n := range total.ByCode {
		if l.byCode[code] != nil {
			b[code] = append(b[code], codeCount{l.byCode[code], n, newest[code]})
		}
	}
}

// codesByNames is the order of the labels; read-only.
var codesByNames = func() (order [interceptor.Codes]codes.Code) {
	for code := range order {
		order[code] = codes.Code(code)
	}
	slices.SortFunc(order[:], func(a, b codes.Code) int { return strings.Compare(a.String(), b.String()) })
	return order
}()

// fill converts the recorder's buckets. All that s holds is counted here, so that count and buckets agree.
func (f *callFamilies) fill(s *spread, h *interceptor.Histogram) {
	s.count, s.sum = 0, h.Sum.Seconds()
	next := 0
	for i := range s.cumulative {
		for ; next < int(f.edges[i]) && next < len(h.Counts); next++ {
			s.count += h.Counts[next]
		}
		s.cumulative[i] = s.count
	}
	for ; next < len(h.Counts); next++ {
		s.count += h.Counts[next]
	}
	if f.native {
		s.native = h
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
		labels = &methodLabels{plain: f.started.with(key.name, key.service, key.kind)}
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
			grown.byCode[code] = f.handled.with(codes.Code(code).String(), key.name, key.service, key.kind)
		}
	}
	f.labels[key] = &grown
	return &grown
}
