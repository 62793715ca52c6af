package main

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/vitals-go/vitals/internal/e2e/endpoints"
	"github.com/vitals-go/vitals/probes"
)

func TestLog(t *testing.T) {
	line := func(status, was string) string {
		return "2026/11/22 12:00:00 WARN Something vitals.logger=plugin.health vitals.check=cache vitals.status=" + status +
			" vitals.reason=error vitals.was=" + was + " vitals.failures=1"
	}
	gone, back := line("warning", "healthy"), line("healthy", "warning")
	course := []string{"healthy", "warning", "healthy"}
	if err := logged([]string{"noise", gone, line("warning", "warning"), back}, "cache", course); err != nil {
		t.Errorf("an honest log is doubted: %v", err)
	}
	for name, lines := range map[string][]string{
		"a line is lost":            {back},
		"the last line is lost":     {gone},
		"one more than the journal": {gone, back, gone},
	} {
		if err := logged(lines, "cache", course); err == nil {
			t.Errorf("%s: not found", name)
		}
	}
}

func TestLeak(t *testing.T) {
	first := signs{goroutines: 40, files: 30, memory: 40 << 20}
	if err := first.leak(signs{goroutines: 50, files: 60, memory: 70 << 20}); err != nil {
		t.Errorf("a warm server is doubted: %v", err)
	}
	for name, now := range map[string]signs{
		"goroutines": {goroutines: 61, files: 30, memory: 40 << 20},
		"files":      {goroutines: 40, files: 76, memory: 40 << 20},
		"memory":     {goroutines: 40, files: 30, memory: 89 << 20},
	} {
		if first.leak(now) == nil {
			t.Errorf("%s: not found", name)
		}
	}
}

func TestCalls(t *testing.T) {
	unavailable, internal := status.Error(codes.Unavailable, ""), status.Error(codes.Internal, "")
	for name, tc := range map[string]struct {
		expect expectation
		method string
		err    error
		took   time.Duration
		wrong  bool
	}{
		"succeeds":             {works, "Put", nil, time.Second, false},
		"nobody has put it":    {works, "Get", status.Error(codes.NotFound, ""), 0, false},
		"is lost":              {works, "Put", unavailable, 0, true},
		"is late":              {works, "Get", status.Error(codes.DeadlineExceeded, ""), patience, true},
		"turned away":          {failsFast, "Put", unavailable, time.Millisecond, false},
		"from the cache":       {failsFast, "Get", nil, time.Millisecond, false},
		"fails slowly":         {failsFast, "Put", unavailable, 2 * time.Second, true},
		"fails oddly":          {failsFast, "List", internal, 0, true},
		"works without a base": {failsFast, "Put", nil, 0, true},
	} {
		if err := judgeCall(tc.expect, tc.method, tc.err, tc.took); (err != nil) != tc.wrong {
			t.Errorf("%s: found %v, want something: %v", name, err, tc.wrong)
		}
	}
}

func TestUsersJudgeWithinAnEra(t *testing.T) {
	u := newUsers()
	lost := func(context.Context) error { return status.Error(codes.Unavailable, "") }
	u.call(t.Context(), "Put", lost) // Nobody has promised anything yet.
	u.expect(works)
	u.call(t.Context(), "Put", func(context.Context) error { u.expect(works); return status.Error(codes.Unavailable, "") })
	if wrong := u.takeWrong(); len(wrong) > 0 {
		t.Errorf("calls that the truth does not decide were judged: %v", wrong)
	}
	u.call(t.Context(), "Put", lost)
	if wrong := u.takeWrong(); len(wrong) != 1 || u.total != 1 {
		t.Errorf("a lost call was found %d times", len(wrong))
	}
}

func TestMetrics(t *testing.T) {
	if _, err := endpoints.ParseMetrics("# TYPE a counter\na_total 1\na_total 2\n"); err == nil {
		t.Error("a series that is there twice was not found")
	}
	for after, wrong := range map[string]bool{"a_total 1\nb 3\n": false, "a_total 2\nb 1\n": false, "a_total 0\nb 3\n": true, "b 3\n": true} {
		was, err := endpoints.ParseMetrics("a_total 1\nb 3\n")
		now, afterErr := endpoints.ParseMetrics(after)
		if err := errors.Join(err, afterErr); err != nil {
			t.Fatal(err)
		}
		if err := backwards(was, now); (err != nil) != wrong {
			t.Errorf("%q: found %v, want something: %v", after, err, wrong)
		}
	}
}

func TestExcuses(t *testing.T) {
	c := &campaign{settings: usual(), machine: &machine{}, tally: newTally(), progress: io.Discard}
	began := time.Now()
	wrong := errors.New("wrong")
	c.machine.stalls = []stall{{began.Add(-time.Second), time.Minute}, {began.Add(time.Millisecond), 60 * time.Millisecond}}
	if c.excuse(wrong, began) == nil {
		t.Error("excused although the machine was at hand")
	}
	c.machine.stalls = append(c.machine.stalls, stall{began.Add(time.Millisecond), time.Second})
	if c.excuse(wrong, began) != nil || c.tally.excused != 1 {
		t.Error("not excused, or not counted, although the machine stood still")
	}
}

func TestMisdated(t *testing.T) {
	file := filepath.Join(t.TempDir(), "health")
	now := time.Now()
	body := `{"status":"healthy","timestamp":"` + now.Format(time.RFC3339Nano) + `","expires_at":"` +
		now.Add(time.Minute).Format(time.RFC3339Nano) + `","live":true}`
	if err := os.WriteFile(file, []byte(body), 0o600); err != nil {
		t.Fatal(err)
	}
	for ahead, believed := range map[time.Duration]bool{0: true, time.Hour: false, -time.Hour: false} {
		if err := misdated(file, file+".seen", ahead); err != nil {
			t.Fatal(err)
		}
		if _, err := probes.ReadFile(file + ".seen"); (err == nil) != believed {
			t.Errorf("a reader who is %v ahead: %v, want belief: %v", ahead, err, believed)
		}
	}
}
