package servicer

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	healthpb "google.golang.org/grpc/health/grpc_health_v1"
)

// The protocols of probers.
const (
	protocolGRPC  = "grpc"
	protocolWatch = "grpc-watch"
	protocolHTTP  = "http"
)

// The kinds of probers without a name of their own.
const (
	kindOther   = "other"
	kindUnnamed = "unnamed"
)

// anyUnknownName stands for unknown names that any client sends, and for long ones.
const anyUnknownName = "(unknown)"

// Prober is one kind of client that requests one name or path.
type Prober struct {
	// Kind follows from the User-Agent, such as kubelet, envoy or grpc (any other gRPC client); other, or unnamed without one.
	Kind string
	// Protocol is grpc, grpc-watch for Watch streams, or http.
	Protocol string
	// Name is that of grpc.health.v1, or the path of an HTTP request.
	Name string
	// Unknown is true if the last request was for a name or path that does not exist, so that the prober sees a failure. Such a
	// Name is printable ASCII of at most 128 bytes; the log alone has those that clients other than known probers sent, which may
	// hold a secret: here they, and longer ones, are together "(unknown)".
	Unknown bool
	// Requests is the number of requests since the start, Open that of open Watch streams.
	Requests uint64
	Open     int
	// Interval is the mean time between the last requests; zero before the second and for Watch streams.
	Interval time.Duration
	// Last is when the last request came, Answer what it got: a serving status, NOT_FOUND, or a status code of HTTP. For Watch
	// streams it is the present status.
	Last   time.Time
	Answer string
	// Stopped is true if requests have come at regular intervals, and then for four of them and 10 s no more. It is found while
	// Run runs and the phase is Ready.
	Stopped bool
}

// State returns stopped, unknown, or ok.
func (p *Prober) State() string {
	switch {
	case p.Stopped:
		return "stopped"
	case p.Unknown:
		return "unknown"
	default:
		return "ok"
	}
}

// agentNames are the User-Agents of probers, by prefix, those of monitors first.
var agentNames = [...]struct {
	prefix, kind string
	monitor      bool // a known prober, not any client
}{
	{"kube-probe/", "kubelet", true},
	{"Envoy/HC", "envoy", true},
	{"grpc_health_probe", "grpc_health_probe", true},
	{"vitals_healthcheck", "healthcheck", true},
	{"haproxy", "haproxy", true},
	{"HAProxy", "haproxy", true},
	{"ELB-HealthChecker/", "elb", true},
	{"GoogleHC/", "google", true},
	{"Blackbox Exporter/", "blackbox_exporter", true},
	{"Consul Health Check", "consul", true},
	{"nginx", "nginx", true},
	{"grpc-", "grpc", false},
	{"grpcurl/", "grpcurl", false},
	{"Go-http-client/", "go", false},
	{"curl/", "curl", false},
}

// kindOf returns the kind of a User-Agent.
func kindOf(agent string) (kind string, monitor bool) {
	if agent == "" {
		return kindUnnamed, false
	}
	for i := range agentNames {
		if strings.HasPrefix(agent, agentNames[i].prefix) {
			return agentNames[i].kind, agentNames[i].monitor
		}
	}
	return kindOther, false
}

// mergeProbers merges those of unknown names, which are not shown.
func mergeProbers(sorted []Prober) []Prober {
	merged := sorted[:0]
	for _, r := range sorted {
		if n := len(merged); n > 0 && compareProbers(merged[n-1], r) == 0 {
			last := &merged[n-1]
			last.Requests, last.Open, last.Interval = last.Requests+r.Requests, last.Open+r.Open, 0
			last.Stopped = last.Stopped || r.Stopped
			if r.Last.After(last.Last) {
				last.Last = r.Last
			}
			continue
		}
		merged = append(merged, r)
	}
	return merged
}

// describeProber is called under mu.
func (s *Server) describeProber(e *prober, stopped bool) Prober {
	r := Prober{
		Kind: e.kind, Protocol: e.protocol, Name: validUTF8(e.name), Unknown: e.unknown.Load(),
		Requests: e.requests.Load(), Open: int(e.open.Load()), Interval: time.Duration(e.interval.Load()),
		Last: s.probers.started.Add(time.Duration(e.last.Load())), Stopped: stopped,
	}
	answer := servingStatus(e.answer.Load())
	if e.protocol == protocolWatch {
		state, known := s.statuses.Lookup(e.name)
		answer, r.Unknown, r.Interval = state, !known, 0
		if !known {
			answer = healthpb.HealthCheckResponse_SERVICE_UNKNOWN
		}
	}
	switch {
	case e.protocol == protocolHTTP:
		r.Answer = strconv.Itoa(int(answer))
	case r.Unknown && e.protocol == protocolGRPC:
		r.Answer = "NOT_FOUND"
	default:
		r.Answer = answer.String()
	}
	if r.Unknown {
		r.Name = anyUnknownName
		if e.monitor {
			r.Name = printable(e.name)
		}
	}
	return r
}

// printable replaces what is not printable ASCII.
func printable(name string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return '?'
		}
		return r
	}, name)
}

func compareProbers(a, b Prober) int {
	return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Protocol, b.Protocol), cmp.Compare(a.Name, b.Name))
}

// sameProbers reports whether two reports agree in all of their probers but the numbers.
func sameProbers(a, b []Prober) bool {
	return slices.EqualFunc(a, b, func(a, b Prober) bool {
		return compareProbers(a, b) == 0 && a.Unknown == b.Unknown && a.Stopped == b.Stopped
	})
}
