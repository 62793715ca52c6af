package main

import (
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// saw returns eyes that have seen a journal, and what one Watch was told.
func saw(told ...string) *observer {
	e := &observer{transitionLog: newTransitionLog(), trails: map[string]*trail{"readiness": {told: told}}}
	e.transitionLog.add(edition(1, outage()))
	return e
}

func TestWatchesAgreeWithTheJournal(t *testing.T) {
	for name, tc := range map[string]struct {
		told  []string
		wrong bool
	}{
		"everything":           {[]string{"NOT_SERVING", "SERVING", "NOT_SERVING", "SERVING"}, false},
		"from the middle on":   {[]string{"SERVING", "NOT_SERVING", "SERVING"}, false},
		"behind":               {[]string{"SERVING"}, false},
		"the same twice":       {[]string{"SERVING", "SERVING"}, true},
		"what never was":       {[]string{"SERVING", "UNKNOWN", "SERVING"}, true},
		"more than there was":  {[]string{"SERVING", "NOT_SERVING", "SERVING", "NOT_SERVING", "SERVING", "NOT_SERVING"}, true},
		"in the wrong order":   {[]string{"NOT_SERVING", "SERVING", "NOT_SERVING", "SERVING", "NOT_SERVING"}, true},
		"nothing so far":       {nil, false},
		"and nothing but that": {[]string{"NOT_SERVING"}, false},
	} {
		if err := saw(tc.told...).agree(); (err != nil) != tc.wrong {
			t.Errorf("%s: found %v, want something: %v", name, err, tc.wrong)
		}
	}
	e := saw("SERVING")
	forged := edition(2, outage())
	forged.Transitions[0].To = "NOT_SERVING"
	e.transitionLog.add(forged)
	if e.agree() == nil {
		t.Error("a forged journal was not found")
	}
}

func TestFarewell(t *testing.T) {
	gone := status.Error(codes.Unavailable, "")
	for name, tc := range map[string]struct {
		told  string
		watch error
		ended error
		wrong bool
	}{
		"told and ended":        {"NOT_SERVING", gone, gone, false},
		"not told":              {"SERVING", gone, gone, true},
		"ended as if forgotten": {"NOT_SERVING", status.Error(codes.Unimplemented, ""), gone, true},
		"editions cut off":      {"NOT_SERVING", gone, status.Error(codes.Internal, ""), true},
	} {
		e := saw("SERVING", tc.told)
		e.trails["readiness"].ended, e.ended = tc.watch, tc.ended
		if err := e.farewell(); (err != nil) != tc.wrong {
			t.Errorf("%s: found %v, want something: %v", name, err, tc.wrong)
		}
	}
	e := saw("SERVING")
	e.trails = map[string]*trail{"liveness": {told: []string{"SERVING"}, ended: gone}}
	e.ended = gone
	if err := e.farewell(); err != nil {
		t.Errorf("a process that drains lives: %v", err)
	}
}
