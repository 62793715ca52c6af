package servicertest

import (
	"fmt"
	"slices"
	"strings"
)

// Rule is a rule for the health of a server.
type Rule struct {
	ID     string // stable
	Text   string
	Source string // URL of the protocol or gRFC, or "vitals"
	needs  string
}

// Needs returns the fields of Target beside Conn that the rule requires, as text.
func (r Rule) Needs() string { return r.needs }

const (
	sourceProtocol = "https://github.com/grpc/grpc/blob/master/doc/health-checking.md"
	sourceProto    = "https://github.com/grpc/grpc-proto/blob/master/grpc/health/v1/health.proto"
	sourceA17      = "https://github.com/grpc/proposal/blob/master/A17-client-side-health-checking.md"
	sourceA90      = "https://github.com/grpc/proposal/blob/master/A90-health-service-list-method.md"
	sourceVitals   = "vitals"
)

// Rules returns all rules, in the order in which they are tested.
func Rules() []Rule {
	const checks, drain, delay = "Fail", "Drain", "Drain, DrainDelay"
	return []Rule{
		{"check.overall", "Check of the empty name returns the status of the server", sourceProtocol, ""},
		{"check.known", "Check of a known name returns OK", sourceProtocol, ""},
		{"check.status", "Check returns SERVING or NOT_SERVING; SERVICE_UNKNOWN is for Watch only", sourceProtocol, ""},
		{"check.unknown", "Check of an unknown name returns NOT_FOUND", sourceProtocol, ""},
		{"list.names", "List has every known name and no unknown one, or returns RESOURCE_EXHAUSTED", sourceProto, ""},
		{"list.agrees", "List and Check agree", sourceProto, ""},
		{"list.bounded", "List has at most 100 names", sourceA90, ""},
		{"watch.first", "Watch of a known name sends its status at once", sourceProto, ""},
		{"watch.agrees", "the first message of a Watch and Check agree", sourceProto, ""},
		{"watch.unknown", "Watch of an unknown name sends SERVICE_UNKNOWN and stays open", sourceProto, ""},
		{"watch.changes", "after its first message a Watch sends changes only", sourceProto, ""},

		{"http.ready", "/ready and /readyz answer 200 if readiness is SERVING, else 503", sourceVitals, "HTTP"},
		{"http.live", "/live and /livez answer 200 if liveness is SERVING, else 503", sourceVitals, "HTTP"},
		{"http.startup", "/startup and /startupz answer 200 once the server has started", sourceVitals, "HTTP"},
		{"http.health", "/health answers 200 if its overall_status is healthy or warning and the server is not draining, else 503", sourceVitals, "HTTP"},
		{"http.form", "responses have no-store and nosniff; methods other than GET and HEAD get 405 with Allow; unknown checks 404", sourceVitals, "HTTP"},
		{"http.metrics", "/metrics answers 200 with any status, and its health_status and Check agree", sourceVitals, "HTTP with /metrics"},
		{"file.form", "the health file is regular, readable for all users, complete, unexpired and not from the future", sourceVitals, "File"},
		{"file.agrees", "the health file and Check agree on readiness and liveness", sourceVitals, "File"},
		{"probe.agrees", "the probe exits with 0 if readiness is SERVING, else with 4", sourceVitals, "Probe"},

		{"fail.readiness", "a failing check takes out readiness, the empty name and its own name", sourceVitals, checks},
		{"fail.liveness", "a failing dependency does not take out liveness", sourceVitals, checks + ", the name liveness"},
		{"fail.recover", "names recover together with the check that took them out", sourceVitals, checks},
		{"watch.follows", "Watch sends a message at each change of the status", sourceProto, checks},

		{"drain.notifies", "at the begin of a drain every name but liveness is NOT_SERVING, and watches receive it before they end", sourceVitals, drain},
		{"drain.unknown", "watches of unknown names receive NOT_SERVING too", sourceVitals, drain},
		{"drain.liveness", "liveness is SERVING during the drain", sourceVitals, delay + ", the name liveness"},
		{"drain.serves", "calls are served for the drain delay", sourceVitals, delay},
		{"drain.endpoints", "during the drain every endpoint reports live and not ready", sourceVitals, delay + ", HTTP, File or Probe"},
		{"drain.code", "the drain ends watches with UNAVAILABLE; after UNIMPLEMENTED clients take the server for healthy", sourceA17, drain},
		{"drain.ends", "the server stops although watches are open", sourceVitals, drain},
		{"drain.file", "the stopped server has removed the health file", sourceVitals, drain + ", File"},
	}
}

// maxViolations bounds the violations of one rule.
const maxViolations = 5

// Violation is a failed test of a rule.
type Violation struct {
	Rule
	// Details is "want …, got …".
	Details string
}

// String returns the violation in one line, with the rule's ID, text and source.
func (v Violation) String() string {
	return fmt.Sprintf("%s: %s: %s (%s)", v.ID, v.Text, v.Details, v.Source)
}

// Result is the result of Check. Rules that are in neither list have passed.
type Result struct {
	// Violations are in the order of Rules, up to five for each failed rule.
	Violations []Violation
	// Skipped are the rules that need more of Target, are in Target.Skip, or depend on a failed one.
	Skipped []Rule
}

// Failed returns the IDs of the failed rules.
func (r *Result) Failed() []string {
	var ids []string
	for _, v := range r.Violations {
		ids = append(ids, v.ID)
	}
	return slices.Compact(ids)
}

// String returns the violations, one per line.
func (r *Result) String() string {
	lines := make([]string, len(r.Violations))
	for i, v := range r.Violations {
		lines[i] = v.String()
	}
	return strings.Join(lines, "\n")
}
