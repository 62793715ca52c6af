package servicer

import "github.com/vitals-go/vitals/checker"

const textStandby = "standby"

// SetStandby takes the server out of traffic on purpose, or back: a replica that has not been elected as leader, for example.
// While it is on, "", readiness and every service are NOT_SERVING with the reason standby; liveness, groups, names of checks, the
// overall status and /health are as before. Alerts and log do not count it as a failure. It may be called at any time, also before
// Run, and has no effect during a drain.
func (s *Server) SetStandby(on bool) {
	s.update(func(in *inputs) { in.standby = on })
}

// addStandby adds the cause that standby is.
func (g *gates) addStandby(in *inputs) {
	if in.standby && in.phase < Draining {
		g.readiness = append(g.readiness, Cause{Reason: checker.ReasonStandby, Text: textStandby})
	}
}
