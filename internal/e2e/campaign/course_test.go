package main

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/vitals-go/vitals/internal/e2e/oracle"
)

// history makes entries of "subject from to [reason]".
func history(lines ...string) []entry {
	var all []entry
	for i, line := range lines {
		words := append(strings.Fields(line), "error")
		e := entry{seq: uint64(i + 1), subject: words[0], from: words[1], to: words[2], reason: words[3]}
		if name, found := strings.CutPrefix(e.subject, "name/"); found {
			e.names = name
		}
		all = append(all, e)
	}
	return all
}

func world(faults map[string]fault) truth { return truth{present: dependencies, faults: faults} }

func TestCourses(t *testing.T) {
	calm := world(nil)
	away := world(map[string]fault{database: killed})
	breaks := step{kind: breakOne, dependency: database, fault: killed}
	goes := []string{"check/database healthy critical"}
	for _, name := range calm.names() {
		if away.expected().Names[name] == "NOT_SERVING" {
			goes = append(goes, "name/"+name+" SERVING NOT_SERVING")
		}
	}
	for name, tc := range map[string]struct {
		step          step
		before, after truth
		happened      []string
		wrong         bool
	}{
		"nothing happens":               {step{kind: flood}, calm, calm, nil, false},
		"the database goes":             {breaks, calm, away, goes, false},
		"it warns first":                {breaks, calm, away, append([]string{"check/database healthy warning", "check/database warning critical"}, goes[1:]...), false},
		"the database goes unseen":      {breaks, calm, away, nil, true},
		"it goes, comes back and goes":  {breaks, calm, away, append(goes, "check/database critical healthy", "check/database healthy critical"), true},
		"a name does not follow":        {breaks, calm, away, goes[:len(goes)-1], true},
		"readiness flaps":               {step{kind: flood}, calm, calm, []string{"name/readiness SERVING NOT_SERVING", "name/readiness NOT_SERVING SERVING"}, true},
		"the cache warns for no reason": {step{kind: flood}, calm, calm, []string{"check/cache healthy warning", "check/cache warning healthy"}, true},
		"a breaker opens for no reason": {step{kind: flood}, calm, calm, []string{"breaker/cache closed open", "breaker/cache open closed"}, true},
		"the phase changes":             {step{kind: flood}, calm, calm, []string{"phase ready draining"}, true},
		"a resource warns":              {step{kind: flood}, calm, calm, []string{"check/cpu_usage healthy warning", "overall healthy warning"}, false},
		"a frozen server starves":       {step{kind: freeze}, calm, calm, []string{"check/cache healthy warning starved", "check/cache warning healthy ok"}, false},
		"and holds it against somebody": {step{kind: freeze}, calm, calm, []string{"check/cache healthy warning timeout", "check/cache warning healthy ok"}, true},
		"and takes itself out":          {step{kind: freeze}, calm, calm, []string{"name/readiness SERVING NOT_SERVING", "name/readiness NOT_SERVING SERVING"}, true},
	} {
		t.Run(name, func(t *testing.T) {
			happened := history(tc.happened...)
			err := errors.Join(courses(happened, tc.step, tc.before, tc.after, false)...)
			if (err != nil) != tc.wrong {
				t.Errorf("found %v, want something: %v", err, tc.wrong)
			}
		})
	}
}

func TestBirths(t *testing.T) {
	ready := []string{"check/cache unknown healthy", "check/external_api unknown healthy", "check/upstream unknown healthy"}
	serve := func(status string) []string {
		return []string{
			"phase starting ready", "name/ NOT_SERVING " + status, "name/readiness NOT_SERVING " + status,
			"name/database NOT_SERVING " + status, "name/" + oracle.Service + " NOT_SERVING " + status,
		}
	}
	for name, tc := range map[string]struct {
		after    truth
		happened []string
		wrong    bool
	}{
		"all is well": {world(nil), append(append(serve("SERVING"), "check/database unknown healthy"), ready...), false},
		"never ready": {world(nil), append([]string{"phase starting ready", "check/database unknown healthy"}, ready...), true},
		"without a database": {
			world(map[string]fault{database: killed}),
			append([]string{"phase starting ready", "check/database unknown critical"}, ready...), false,
		},
		"ready for a moment without a database": {
			world(map[string]fault{database: silent}),
			append(append(append(serve("SERVING"), serve("NOT_SERVING")[1:]...), "check/database unknown critical"), ready...), true,
		},
		"a database that hangs": {
			world(map[string]fault{database: silent}),
			append([]string{"phase starting ready", "check/database unknown warning", "check/database warning critical"}, ready...), false,
		},
		"a database that is dead": {
			world(map[string]fault{database: killed}),
			append([]string{"phase starting ready", "check/database unknown warning", "check/database warning critical"}, ready...), true,
		},
	} {
		t.Run(name, func(t *testing.T) {
			err := errors.Join(births(history(tc.happened...), tc.after, false)...)
			if (err != nil) != tc.wrong {
				t.Errorf("found %v, want something: %v", err, tc.wrong)
			}
		})
	}
}

func TestABusyMachineExcusesSlownessOnly(t *testing.T) {
	calm := world(nil)
	for line, wrong := range map[string]bool{"check/cache healthy warning timeout": false, "check/cache healthy warning error": true} {
		happened := history(line, "check/cache warning healthy ok")
		if err := errors.Join(courses(happened, step{kind: flood}, calm, calm, true)...); (err != nil) != wrong {
			t.Errorf("%s: found %v, want something: %v", line, err, wrong)
		}
	}
}

func TestPressure(t *testing.T) {
	now := time.Now()
	m := &machine{waited: []waited{{now, 0}, {now.Add(time.Second), 400 * time.Millisecond}, {now.Add(2 * time.Second), 1200 * time.Millisecond}}}
	for after, want := range map[time.Duration]bool{0: true, 1500 * time.Millisecond: true} {
		if got := m.pressed(now.Add(after)); got != want {
			t.Errorf("pressed since %v: %v, want %v", after, got, want)
		}
	}
	m.waited[2].total = 950 * time.Millisecond
	if m.pressed(now) || !m.pressed(now.Add(1100*time.Millisecond)) || m.pressed(now.Add(time.Hour)) {
		t.Error("wrong about who had to wait")
	}
}
