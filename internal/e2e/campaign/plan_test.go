package main

import (
	"slices"
	"testing"
)

func TestPlanFollowsFromTheSeed(t *testing.T) {
	long := newPlan(7, 500)
	if again := newPlan(7, 500); !slices.Equal(long, again) {
		t.Error("the same seed has led to another plan")
	}
	if short := newPlan(7, 100); !slices.Equal(short, long[:100]) {
		t.Error("a short plan is not the beginning of a long one: failures could not be replayed")
	}
	if other := newPlan(8, 500); slices.Equal(long, other) {
		t.Error("two seeds have led to the same plan")
	}
}

func TestPlanDoesEverything(t *testing.T) {
	done := map[string]bool{}
	broken := map[string]fault{}
	for _, s := range newPlan(1, 2000) {
		done[what(s)] = true
		switch s.kind {
		case mendOne:
			if broken[s.dependency] == noFault {
				t.Errorf("step %d: %v, which was not broken", s.number, s)
			}
			delete(broken, s.dependency)
		case breakOne:
			if broken[s.dependency] == s.fault {
				t.Errorf("step %d: %v, which it was before", s.number, s)
			}
			broken[s.dependency] = s.fault
		}
	}
	for _, kind := range specials {
		if !done[string(kind)] {
			t.Errorf("no %s in 2000 steps", kind)
		}
	}
	for _, name := range dependencies {
		for _, f := range faultsOf(name) {
			if s := (step{kind: breakOne, dependency: name, fault: f}); !done[what(s)] {
				t.Errorf("no %s in 2000 steps", what(s))
			}
		}
		if s := (step{kind: mendOne, dependency: name}); !done[what(s)] {
			t.Errorf("no %s in 2000 steps", what(s))
		}
	}
}
