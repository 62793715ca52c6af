package interceptor

import (
	"time"

	"google.golang.org/grpc/codes"
)

// NumCodes is the number of canonical gRPC status codes, OK to Unauthenticated. Numbers outside are counted as Unknown.
const NumCodes = 17

// Snapshot is what one side of a Recorder has seen until Time. It is plain data and never changes.
type Snapshot struct {
	// Time is when it was taken.
	Time time.Time
	// Started is the recorder's birth: since then all cumulative counters count.
	Started time.Time
	// Methods, sorted by service and method.
	Methods []Method
	// Total adds up all methods over the recorder's life.
	Total Stats
	// Window adds up all methods over the sliding window.
	Window Window
}

// CallType is the kind of a method, in the words of go-grpc-middleware and its metrics' label grpc_type.
type CallType string

// The kinds of methods. Other is work that is no gRPC call; see Recorder.Begin.
const (
	Unary        CallType = "unary"
	ClientStream CallType = "client_stream"
	ServerStream CallType = "server_stream"
	BidiStream   CallType = "bidi_stream"
	Other        CallType = "other"
)

// Method is one method's share of a Snapshot. Names that were never registered share one method: Service "other",
// Name "other".
type Method struct {
	Service string
	Name    string
	Type    CallType
	Total   Stats
	Window  Window
	// Exemplars are the newest calls that Config.Exemplar had labels for: one that ended with OK and one that did not for
	// each step of latency, by latency. Nil if there are none.
	Exemplars []Exemplar

	byCode *[NumCodes]codeLatency // nil while all calls have ended with OK; see LatencyOf
}

// Stats are cumulative counters since the recorder's birth. They never decrease.
type Stats struct {
	// Started calls; Started − Handled are in flight.
	Started uint64
	Handled uint64
	byCode  [NumCodes]uint64 // see ByCode
	// Failures are the handled calls that are our fault; see IsFailure.
	Failures uint64
	// Panics are the calls whose handler panicked; each also counts as Internal.
	Panics uint64
	// Messages of streams and unary calls alike.
	MsgReceived uint64
	MsgSent     uint64
	// Latency of the handled calls.
	Latency Histogram
}

// ByCode returns how many of Handled ended with code, as the peer sees it. Codes beyond Codes are counted as Unknown.
func (s *Stats) ByCode(code codes.Code) uint64 {
	if code >= NumCodes {
		return 0
	}
	return s.byCode[code]
}

// InFlight returns how many calls have started and not ended.
func (s *Stats) InFlight() uint64 { return s.Started - s.Handled }

// Window is a view of the last minute or so.
type Window struct {
	// Span is the time that the window really covers: shorter than configured while the recorder is young.
	Span time.Duration
	// Requests handled in the window, Failures among them that are our fault, and Saturated ones (ResourceExhausted).
	Requests  uint64
	Failures  uint64
	Saturated uint64
	// LatencySamples is how many of Requests the latencies below are made of: unary calls whose handler really ran. Streams
	// live as long as they like and are left out.
	LatencySamples uint64
	Mean           time.Duration
	P50            time.Duration
	P90            time.Duration
	P99            time.Duration
}
