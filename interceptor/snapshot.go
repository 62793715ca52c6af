package interceptor

import (
	"time"

	"google.golang.org/grpc/codes"
)

// NumCodes is the number of canonical gRPC status codes, OK to Unauthenticated. Other numbers count as Unknown.
const NumCodes = 17

// Snapshot is the state of one side of a Recorder. It does not change.
type Snapshot struct {
	// Time is when the snapshot was taken.
	Time time.Time
	// Started is when the Recorder was created, the start time of all cumulative counters.
	Started time.Time
	// Methods, sorted by service and name.
	Methods []Method
	// Total is the sum of all methods since Started.
	Total Stats
	// Window is the sum of all methods in the sliding window.
	Window Window
}

// CallType is the type of a method, with the values of the Prometheus label grpc_type.
type CallType string

// The types of methods. Other is that of operations; see Recorder.Begin.
const (
	Unary        CallType = "unary"
	ClientStream CallType = "client_stream"
	ServerStream CallType = "server_stream"
	BidiStream   CallType = "bidi_stream"
	Other        CallType = "other"
)

// Method is one method in a Snapshot. Names without an entry of their own share Service "other", Name "other".
type Method struct {
	Service, Name string
	Type          CallType
	Total         Stats
	Window        Window
	// Exemplars by latency: the newest call with OK and the newest with another code of each step of latency, where
	// Config.Exemplar returned labels.
	Exemplars []Exemplar

	byCode *[NumCodes]CodeLatency // nil while all calls have ended with OK
	// started is when the Recorder was created, firsts as in method.
	started time.Time
	firsts  [NumCodes]int64
}

// Created returns when the counter of the calls that ended with code began to count, for Prometheus' created timestamps: when
// the first one ended with it; for OK and codes that have not occurred when the first call began; before that when the Recorder
// was created.
func (m *Method) Created(code codes.Code) time.Time {
	first := m.firsts[codes.OK]
	if code < NumCodes && m.firsts[code] > 0 {
		first = m.firsts[code]
	}
	return m.started.Add(time.Duration(max(first-1, 0)))
}

// Stats are cumulative counters. They never decrease.
type Stats struct {
	// Started and Handled calls; the difference is in flight.
	Started, Handled uint64
	// Failures among Handled; see IsFailure.
	Failures uint64
	// Panics among Handled; each is also counted as Internal.
	Panics uint64
	// Messages of streams and unary calls.
	MsgReceived, MsgSent uint64
	// Latency of the handled calls.
	Latency Histogram

	byCode [NumCodes]uint64
}

// ByCode returns how many of Handled ended with code, as the peer received it.
func (s *Stats) ByCode(code codes.Code) uint64 {
	if code >= NumCodes {
		return 0
	}
	return s.byCode[code]
}

// InFlight returns how many calls have started and not ended.
func (s *Stats) InFlight() uint64 { return s.Started - s.Handled }

// Window holds the calls of the last Config.Window.
type Window struct {
	// Span is the time that the window covers: less than configured while the Recorder is younger.
	Span time.Duration
	// Requests handled in the window, Failures among them, and Saturated ones, with ResourceExhausted.
	Requests, Failures, ResourceExhausted uint64
	// LatencySamples is the number of Requests that the latencies below cover: unary calls and operations, without
	// those with a short deadline.
	LatencySamples      uint64
	Mean, P50, P90, P99 time.Duration
}
