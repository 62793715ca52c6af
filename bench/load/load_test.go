package main

import (
	"errors"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

// The test binary is its own server, as the command is.
func TestMain(m *testing.M) {
	if slices.Contains(os.Args, "-serve") || slices.Contains(os.Args, "-watch") {
		main()
		return
	}
	os.Exit(m.Run())
}

func TestEverythingAtOnceInSmall(t *testing.T) {
	l := load{watches: 1500, checks: 200, scrapes: 600, calls: 400, stage: 300 * time.Millisecond, kubelet: time.Minute}
	results, err := runStages(t.Context(), l)
	if err != nil {
		t.Fatal(err)
	}
	if err := verdict(results); err != nil {
		t.Error(err)
	}
	for _, r := range results {
		if len(r.notified) != 4 || len(r.checked.took) == 0 || (r.calls != 0) != (len(r.called.took) > 0) || (r.scrapes != 0) != (len(r.scraped.took) > 0) {
			t.Errorf("stage %q did not do all its work: %+v", r.name, r)
		}
		if r.watches && r.goroutines < l.watches {
			t.Errorf("stage %q had %d goroutines for %d watches", r.name, r.goroutines, l.watches)
		}
	}
	table := markdown(l, results)
	if strings.Count(table, "\n| ") != len(results)+1 {
		t.Errorf("a stage is missing:\n%s", table)
	}
}

func TestVerdictFindsWhatMustNotBe(t *testing.T) {
	for name, r := range map[string]result{
		"a wrong Check":   {checked: outcome{failed: 1, first: errors.New("liveness is NOT_SERVING")}},
		"a late probe":    {probed: outcome{failed: 1, first: errors.New("deadline")}},
		"a failed scrape": {scraped: outcome{failed: 1, first: errors.New("503")}},
		"a lost call":     {called: outcome{failed: 1, first: errors.New("unavailable")}},
		"a lost watch":    {lost: 1},
	} {
		if verdict([]result{r}) == nil {
			t.Errorf("%s is not found", name)
		}
	}
	if err := verdict([]result{{}}); err != nil {
		t.Errorf("nothing is wrong, but %v", err)
	}
}
