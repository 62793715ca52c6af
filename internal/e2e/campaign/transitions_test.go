package main

import (
	"strings"
	"testing"

	"github.com/vitals-go/vitals/servicer/vitalspb"
)

// outage is the journal of a database that goes and comes back, newest first.
func outage() []*vitalspb.Transition {
	up := []string{"", "database", "readiness"}
	return []*vitalspb.Transition{
		{Seq: 6, Subject: "name/readiness", From: "NOT_SERVING", To: "SERVING", Names: up},
		{Seq: 5, Subject: "check/database", From: "critical", To: "healthy"},
		{Seq: 4, Subject: "name/readiness", From: "SERVING", To: "NOT_SERVING", Names: up},
		{Seq: 3, Subject: "check/database", From: "healthy", To: "critical"},
		{Seq: 2, Subject: "name/readiness", From: "NOT_SERVING", To: "SERVING", Names: up},
		{Seq: 1, Subject: "check/database", From: "unknown", To: "healthy"},
	}
}

// edition is a report whose journal shows the newest entries of all, after the last of which the database is healthy.
func edition(seq uint64, journal []*vitalspb.Transition) *vitalspb.HealthReportResponse {
	return &vitalspb.HealthReportResponse{
		Revision: seq, Transitions: journal,
		Metrics: map[string]*vitalspb.HealthMetric{"dependency_database": {Status: "healthy"}, "breaker_database": {Value: "closed"}},
		Names:   []*vitalspb.ServingName{{Name: "", Status: "SERVING"}, {Name: "readiness", Status: "SERVING"}},
	}
}

func TestTransitionLogAcceptsCompleteTransitions(t *testing.T) {
	c := newTransitionLog()
	c.add(edition(1, outage()[4:]))
	c.add(edition(9, outage()[:4])) // A window that has lost its oldest entries.
	c.add(edition(3, outage()[2:])) // An older edition, which came later.
	if problems := c.takeProblems(); len(problems) > 0 {
		t.Errorf("an honest journal is doubted: %v", problems)
	}
	if got := strings.Join(c.course("name/"), " "); got != "SERVING NOT_SERVING SERVING" {
		t.Errorf("course of the overall name: %s", got)
	}
	if got := len(c.since(2)); got != 4 {
		t.Errorf("%d entries since the second, want 4", got)
	}
}

func TestTransitionLogFindsContradictions(t *testing.T) {
	for name, tc := range map[string]struct {
		lie  func() *vitalspb.HealthReportResponse // the second edition
		want string
	}{
		"a lost entry": {func() *vitalspb.HealthReportResponse {
			return edition(2, append(outage()[:2:2], outage()[3:]...))
		}, "lacks number 4"},
		"a window that begins too late": {func() *vitalspb.HealthReportResponse {
			return edition(2, outage()[:2])
		}, "lacks number 3"},
		"an entry without a number": {func() *vitalspb.HealthReportResponse {
			journal := outage()
			journal[0].Seq = 0
			return edition(2, journal)
		}, "lacks number 6"},
		"a rewritten entry": {func() *vitalspb.HealthReportResponse {
			journal := outage()
			journal[5].To = "warning"
			return edition(2, journal)
		}, "rewritten"},
		"a transition from what was not": {func() *vitalspb.HealthReportResponse {
			journal := outage()
			journal[1].From = "warning"
			return edition(2, journal)
		}, "lacks what made check/database warning"},
		"an edition that disagrees with its journal": {func() *vitalspb.HealthReportResponse {
			report := edition(2, outage())
			report.Metrics["dependency_database"].Status = "critical"
			return report
		}, "says that check/database is critical"},
		"a name that disagrees with the journal": {func() *vitalspb.HealthReportResponse {
			report := edition(2, outage())
			report.Names[1].Status = "NOT_SERVING"
			return report
		}, "says that name/readiness is NOT_SERVING"},
	} {
		t.Run(name, func(t *testing.T) {
			c := newTransitionLog()
			c.add(edition(1, outage()[4:]))
			c.add(tc.lie())
			for _, problem := range c.takeProblems() {
				if strings.Contains(problem.Error(), tc.want) {
					return
				}
			}
			t.Errorf("not found; want %q", tc.want)
		})
	}
}
