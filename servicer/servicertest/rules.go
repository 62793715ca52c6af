package servicertest

import (
	"slices"
)

// Rule is something that a healthy server does.
type Rule struct {
	// ID is stable: Target.Skip and programs may rely on it.
	ID string
	// Text is the rule in a sentence.
	Text string
	// Source is where the rule comes from: the address of the protocol's text or of a gRFC, or "vitals" for what goes
	// beyond them.
	Source string
	// Needs names the fields of Target without which the rule cannot be tested, beside Conn.
	Needs string
}

// The sources of rules.
const (
	sourceProtocol = "https://github.com/grpc/grpc/blob/master/doc/health-checking.md"
	sourceProto    = "https://github.com/grpc/grpc-proto/blob/master/grpc/health/v1/health.proto"
	sourceA17      = "https://github.com/grpc/proposal/blob/master/A17-client-side-health-checking.md"
	sourceA90      = "https://github.com/grpc/proposal/blob/master/A90-health-service-list-method.md"
	sourceVitals   = "vitals"
)

const (
	needsNothing = ""
	needsHTTP    = "HTTP"
	needsFile    = "File"
	needsProbe   = "Probe"
	needsChecks  = "Checks, Fail, Heal"
	needsDrain   = "Drain"
	needsDelay   = "Drain, DrainDelay"
)

// Rules returns all rules, in the order in which they are tested.
func Rules() []Rule {
	return []Rule{
		{"check.overall", "Check of the empty name tells the status of the server as a whole", sourceProtocol, needsNothing},
		{"check.known", "Check of a known name answers OK", sourceProtocol, needsNothing},
		{"check.status", "Check answers SERVING or NOT_SERVING; SERVICE_UNKNOWN is for Watch only", sourceProtocol, needsNothing},
		{"check.unknown", "Check of an unknown name fails with NOT_FOUND", sourceProtocol, needsNothing},
		{"list.names", "List has every known name and no unknown one, or fails with RESOURCE_EXHAUSTED", sourceProto, needsNothing},
		{"list.agrees", "List says what Check says", sourceProto, needsNothing},
		{"list.bounded", "List answers with at most 100 names", sourceA90, needsNothing},
		{"watch.first", "Watch of a known name sends its status at once", sourceProto, needsNothing},
		{"watch.agrees", "the first message of a Watch is what Check says", sourceProto, needsNothing},
		{"watch.unknown", "Watch of an unknown name sends SERVICE_UNKNOWN and goes on", sourceProto, needsNothing},
		{"watch.changes", "after its first message a Watch sends changes only", sourceProto, needsNothing},

		{"http.ready", "/ready and /readyz answer 200 when readiness serves, else 503", sourceVitals, needsHTTP},
		{"http.live", "/live and /livez answer 200 when liveness serves, else 503", sourceVitals, needsHTTP},
		{"http.startup", "/startup and /startupz answer 200 once start-up is over", sourceVitals, needsHTTP},
		{"http.health", "/health answers 200 when its document is healthy or warns, and the process does not drain, else 503", sourceVitals, needsHTTP},
		{"http.form", "every answer may neither be stored nor sniffed; other methods than GET and HEAD get 405 with Allow; unknown checks 404", sourceVitals, needsHTTP},
		{"http.metrics", "/metrics answers 200 whatever the verdict, and its health_status says what Check says", sourceVitals, needsHTTP + ", and /metrics there"},
		{"file.form", "the health file is a regular file that everybody may read, whole, in force and not from the future", sourceVitals, needsFile},
		{"file.agrees", "the health file says what Check says of readiness and liveness", sourceVitals, needsFile},
		{"probe.agrees", "the probe exits with 0 when readiness serves, with 4 when it does not", sourceVitals, needsProbe},

		{"fail.readiness", "a failing check takes out readiness, the server as a whole and its own name", sourceVitals, needsChecks},
		{"fail.liveness", "a failing dependency does not take out liveness", sourceVitals, needsChecks + ", and the name liveness"},
		{"fail.heal", "what a failing check took out comes back when the check is healthy again", sourceVitals, needsChecks},
		{"watch.follows", "Watch sends a message whenever the status changes", sourceProto, needsChecks},

		{"drain.told", "every name but liveness is NOT_SERVING when the drain begins, and who watches it is told before the watch ends", sourceVitals, needsDrain},
		{"drain.unknown", "who watches an unknown name is told NOT_SERVING as well", sourceVitals, needsDrain},
		{"drain.liveness", "liveness serves while the server drains", sourceVitals, needsDelay + ", and the name liveness"},
		{"drain.serves", "for the drain delay everything is served as before", sourceVitals, needsDelay},
		{"drain.doors", "while the server drains, every door says that it is alive and not ready", sourceVitals, needsDelay + ", and a door beside gRPC"},
		{"drain.code", "the drain ends watches with UNAVAILABLE; UNIMPLEMENTED would make clients take the server for healthy", sourceA17, needsDrain},
		{"drain.ends", "the server ends although watches are open", sourceVitals, needsDrain},
		{"drain.file", "a clean end removes the health file", sourceVitals, needsDrain + ", File"},
	}
}

// indexOf returns where in rules the one called id stands, -1 if there is none.
func indexOf(rules []Rule, id string) int {
	return slices.IndexFunc(rules, func(r Rule) bool { return r.ID == id })
}
