package browser_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/vitals-go/vitals/checker"
	"github.com/vitals-go/vitals/servicer"
)

// manyReport has 200 checks, of which the named ones fail.
func manyReport(failing ...int) *servicer.Report {
	r := healthyReport()
	r.Checks = nil
	for i := range 200 {
		name := fmt.Sprintf("tenant-%03d", i)
		r.Checks = append(r.Checks, &checker.Result{
			Name: name, Status: checker.Healthy, Reason: checker.ReasonOK, Value: "available", Message: "Dependency " + name + " is available",
			Since: r.Started, At: r.EvaluatedAt, Duration: time.Millisecond,
		})
	}
	for _, i := range failing {
		r.Overall = checker.Critical
		fail(r, i, checker.Critical, checker.ReasonError, "Dependency "+r.Checks[i].Name+" is unavailable", "connection refused")
	}
	return r
}

func TestManyChecksStayUsable(t *testing.T) {
	s, tab := newScript(t, manyReport(17)), newTab(t)
	tab.wide(1280, 900)
	tab.live(s.addr)
	tab.until(first("tenant-017", "critical"))
	tab.until(`document.querySelectorAll("#rows > li").length === 200`)
	tab.shot("many")
	tab.judge(overflow, "1280 pixels")
	tab.judge(structure, "200 checks")

	// One of them fails: it comes up, and the others stay what they are in the reader's hands.
	eval[any](tab, `window.rows = [...document.querySelectorAll("#rows > li")]; rows.forEach((li) => { li.firstChild.seen = true; })`)
	s.publish(manyReport(17, 150))
	tab.until(`document.querySelector("#verdict p").textContent.includes("tenant-150")`)
	if kept := eval[int](tab, `rows.filter((li) => li.isConnected).length`); kept != 200 {
		t.Errorf("of 200 rows, %d are the same after one has changed", kept)
	}
	want := []string{"tenant-017", "tenant-150", "tenant-000"}
	for i, name := range want {
		if got := eval[string](tab, fmt.Sprintf(`document.querySelectorAll("#rows h3")[%d].textContent.trim()`, i)); got != name {
			t.Errorf("in place %d stands %s, want %s", i, got, name)
		}
	}
	tab.wide(360, 740)
	tab.judge(overflow, "360 pixels")
	tab.shot("many-360")
}
