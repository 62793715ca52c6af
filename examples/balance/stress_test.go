package main

import (
	"errors"
	"testing"
	"time"
)

// What the experiment shows, without its figures: facts are waited for, and no time is asserted.
func TestAStressedServerIsSparedAndNoRestartLosesACall(t *testing.T) {
	e := experiment{rate: 60, busy: 4, rounds: 1}
	servers, err := startProcesses(t.Context(), e.busy, "one", "two", "three")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { stopProcesses(servers) }()
	for _, policy := range policies {
		conn, err := dialServers(servers, policy.config)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		if err := awaitServing(t.Context(), conn, servers...); err != nil {
			t.Fatal(err)
		}
		switch policy.name {
		case "round_robin":
			if seen := e.load(t.Context(), conn, time.Second); seen.lost > 0 || seen.share("three") < 0.25 || seen.share("three") > 0.42 {
				t.Errorf("round robin: %d lost, three served %.2f of %v", seen.lost, seen.share("three"), seen.served)
			}
		default:
			spared(t, e, func() tally { return e.load(t.Context(), conn, time.Second) })
		}
	}
	seen, err := e.restartAll(t.Context(), servers)
	if err != nil || seen.lost > 0 || seen.calls == 0 {
		t.Errorf("restarts: %d of %d calls lost, %v: %v", seen.lost, seen.calls, seen.errs, err)
	}
}

// spared waits until the stressed server gets clearly less than a third of the calls.
func spared(t *testing.T, e experiment, load func() tally) {
	t.Helper()
	var seen tally
	for began := time.Now(); time.Since(began) < time.Minute; {
		seen = load()
		if seen.lost > 0 {
			break
		}
		if seen.calls > e.rate/4 && seen.share("three") < 0.2 {
			return
		}
	}
	t.Errorf("weighted round robin: %d lost, %v, the stressed server still served %v", seen.lost, seen.errs, seen.served)
}

func TestARowOfTheTable(t *testing.T) {
	seen := tally{served: make(map[string]int)}
	for i := range 100 {
		seen.add([]string{"one", "one", "two", "three"}[i%4], time.Duration(i+1)*time.Millisecond, nil)
	}
	seen.add("", time.Hour, errors.New("lost"))
	want := "| policy | 50.0 % | 25.0 % | 25.0 % | 101 | 50ms | 99ms | 1 |"
	if got := seen.row("policy", []*process{{name: "one"}, {name: "two"}, {name: "three"}}); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if got := (&tally{}).quantile(0.5); got != 0 {
		t.Errorf("nothing took %v", got)
	}
}

func TestTheCommandLine(t *testing.T) {
	for _, args := range [][]string{{"nonsense"}, {stressCommand, "-rate", "0"}, {stressCommand, "-settle", "-1s"}, {serverCommand, "-port", "1"}} {
		if err := command(t.Context(), args); err == nil {
			t.Errorf("%q is no mistake", args)
		}
	}
}
