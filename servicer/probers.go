package servicer

import (
	"context"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc/metadata"

	"github.com/vitals-go/vitals/internal/selfcall"
)

// Bounds of what is kept of probers: any peer that can connect can be one.
const (
	maxProbers        = 64
	maxUnknownProbers = 16        // of those, for names that do not exist
	maxProbedName     = 128       // bytes of such a name; a longer one is anyUnknownName
	forgetAfter       = time.Hour // the age of those that make room for others
	retryFull         = time.Minute
)

// A prober is regular after regularAfter requests, each at about the usual time after one that was serving. It has stopped when
// stopFactor intervals and stopSlack have passed: a kubelet may restart, and a startup probe ends with its first success.
const (
	regularAfter = 8
	stopFactor   = 4
	stopSlack    = 10 * time.Second
)

// maxEvaluationDelay is how late an evaluation may be before the process counts as suspended, in which time nobody can probe it.
const maxEvaluationDelay = 5 * time.Second

// probers are the clients that request health. Recording a request of one that is known takes no lock.
type probers struct {
	started time.Time
	all     atomic.Pointer[map[proberKey]*prober] // replaced under mu
	mu      sync.Mutex
	full    [2]atomic.Int64 // until when there is no room for a known and an unknown name, written under mu

	// due and awake are guarded by Server.mu: when an evaluation has to look for probers that have stopped, and when the process
	// was last found to have been suspended.
	due, awake time.Time
}

type proberKey struct{ kind, protocol, name string }

// prober is the mutable form of Prober. Its atomics are written by each request, last by the first of concurrent ones, and read by
// evaluations. A value that two concurrent requests overwrite is one of two true ones. Times are nanoseconds since probers.started.
type prober struct {
	proberKey
	monitor bool

	requests            atomic.Uint64
	open                atomic.Int64
	last                atomic.Int64
	interval, deviation atomic.Int64 // smoothed as a TCP round-trip time
	streak              atomic.Int32 // requests since the first or a long pause that followed one that was serving
	answer              atomic.Int32 // a serving status, or a status code of HTTP
	unknown             atomic.Bool

	loggedUnknown, stopped bool // guarded by Server.mu
}

func newProbers(started time.Time) *probers {
	p := &probers{started: started}
	p.all.Store(&map[proberKey]*prober{})
	return p
}

// of returns the prober with a key. If there is none, it adds one, or returns nil where there is no room.
func (p *probers) of(key proberKey, monitor, unknown bool) (e *prober, added bool) {
	if unknown && len(key.name) > maxProbedName {
		key.name = anyUnknownName
	}
	if e := (*p.all.Load())[key]; e != nil {
		return e, false
	}
	full := &p.full[0]
	if unknown {
		full = &p.full[1]
	}
	now := time.Since(p.started)
	if until := time.Duration(full.Load()); until > now {
		return nil, false
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	all := maps.Clone(*p.all.Load())
	if e := all[key]; e != nil {
		return e, false
	}
	if !hasRoom(all, unknown) {
		maps.DeleteFunc(all, func(_ proberKey, e *prober) bool {
			return e.open.Load() == 0 && now-time.Duration(e.last.Load()) > forgetAfter
		})
	}
	if !hasRoom(all, unknown) {
		full.Store(int64(now + retryFull))
		return nil, false
	}
	key.name = strings.Clone(key.name) // which may be part of a request
	e = &prober{proberKey: key, monitor: monitor}
	e.last.Store(int64(now))
	e.unknown.Store(unknown)
	all[key] = e
	p.all.Store(&all)
	return e, true
}

func hasRoom(all map[proberKey]*prober, unknown bool) bool {
	room := maxUnknownProbers
	for _, e := range all {
		if e.unknown.Load() {
			room--
		}
	}
	return len(all) < maxProbers && (!unknown || room > 0)
}

// record records a request. It does not allocate, except for the first of a prober.
func (e *prober) record(now time.Duration, answer int32, unknown bool) {
	last := time.Duration(e.last.Swap(int64(now)))
	before := e.answer.Swap(answer)
	if e.unknown.Load() != unknown {
		e.unknown.Store(unknown)
	}
	if e.protocol == protocolWatch {
		e.open.Add(1)
	}
	if e.requests.Add(1) == 1 {
		return
	}
	gap, mean, deviation := max(now-last, 0), time.Duration(e.interval.Load()), time.Duration(e.deviation.Load())
	switch {
	case mean == 0:
		mean, deviation = gap, gap/2
	case gap > stopFactor*mean+stopSlack:
		mean, deviation = 0, 0
		e.streak.Store(0)
	default:
		deviation += ((gap - mean).Abs() - deviation) / 4
		mean += (gap - mean) / 8
	}
	e.interval.Store(int64(mean))
	e.deviation.Store(int64(deviation))
	if before == int32(serving) || before == http.StatusOK {
		e.streak.Add(1)
	}
}

// silentAt returns when a prober has been silent for long, if it sends no further request.
func (e *prober) silentAt(p *probers) time.Time {
	last := p.started.Add(time.Duration(e.last.Load()))
	if p.awake.After(last) {
		last = p.awake
	}
	return last.Add(stopFactor*time.Duration(e.interval.Load()) + stopSlack)
}

func (e *prober) regular() bool {
	return e.protocol != protocolWatch && e.streak.Load() >= regularAfter && e.deviation.Load() <= e.interval.Load()/2
}

// probed records a request for a name or path, and evaluates if it is the first of a prober, so that the report shows it.
func (s *Server) probed(agent, protocol, name string, answer int32, unknown bool) *prober {
	if agent == selfcall.UserAgent {
		return nil
	}
	kind, monitor := kindOf(agent)
	if protocol == protocolHTTP && unknown && !monitor {
		return nil // a browser, a scanner
	}
	e, added := s.probers.of(proberKey{kind, protocol, name}, monitor, unknown)
	if e == nil {
		return nil
	}
	e.record(time.Since(s.probers.started), answer, unknown)
	if added {
		s.update(nil)
		s.wakeRun() // which has to evaluate when the prober has stopped
	}
	return e
}

// probedByCall records a call of grpc.health.v1. Calls in the process have no metadata and do not count.
func (s *Server) probedByCall(ctx context.Context, protocol, name string, answer servingStatus, known bool) *prober {
	if agent := metadata.ValueFromIncomingContext(ctx, "user-agent"); len(agent) > 0 {
		return s.probed(agent[0], protocol, name, int32(answer), !known)
	}
	return nil
}

// RecordProbe records an HTTP health request that is answered with a status code, for Report.Probers. Package probes calls it.
func (s *Server) RecordProbe(request *http.Request, status int) {
	agent := request.UserAgent()
	if agent == "" && request.Header.Get("X-Haproxy-Server-State") != "" { // http-check send-state
		agent = "haproxy"
	}
	s.probed(agent, protocolHTTP, request.URL.Path, int32(status), status == http.StatusNotFound) //nolint:gosec // 100 to 599
}

// readProbers makes the probers part of the inputs, and logs what is wrong with them, once. It is called under mu.
func (s *Server) readProbers(in *inputs) {
	p := s.probers
	if s.running.Load() && !p.due.IsZero() && in.now.Sub(p.due) > maxEvaluationDelay {
		p.awake = in.now
	}
	p.due = time.Time{}
	all := *p.all.Load()
	in.probers = nil
	if len(all) > 0 {
		in.probers = make([]Prober, 0, len(all))
	}
	for _, e := range all {
		silent := e.silentAt(p)
		if silent.After(in.now) && e.protocol != protocolWatch {
			p.due = soonest(p.due, silent)
		}
		stopped := in.phase == Ready && e.regular() && !silent.After(in.now)
		r := s.describeProber(e, stopped)
		s.logProber(e, &r, in.phase)
		in.probers = append(in.probers, r)
	}
	slices.SortFunc(in.probers, compareProbers)
	in.probers = mergeProbers(in.probers)
}

func (s *Server) logProber(e *prober, r *Prober, phase Phase) {
	who := []slog.Attr{slog.String("prober", r.Kind), slog.String("protocol", r.Protocol), slog.String("name", printable(e.name))}
	if r.Unknown && !e.loggedUnknown && phase == Ready {
		e.loggedUnknown = true
		s.log.Log(slog.LevelWarn, "health of an unknown name is requested", who...)
	}
	if r.Stopped && !e.stopped {
		s.log.Log(slog.LevelWarn, "regular health requests have stopped", append(who,
			slog.Duration("interval", r.Interval.Round(time.Millisecond)), slog.Time("last", r.Last))...)
	}
	e.stopped = r.Stopped
}
