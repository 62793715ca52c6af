package servicer

import (
	"testing"
	"time"

	"github.com/vitals-go/vitals/breaker"
	"github.com/vitals-go/vitals/checker"
	"github.com/vitals-go/vitals/interceptor"
)

func TestNamesThatAreSetWithoutReadersTakeNoMemory(t *testing.T) {
	s, err := New(Config{})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 100_000 {
		s.SetServingStatus("", servingStatus(1+i%2))
		s.SetServingStatus("shop.v1.Orders", servingStatus(1+i%2))
	}
	if n := len(s.in.setNames); n > 100 {
		t.Errorf("%d names are kept for the next evaluation, want those that were set", n)
	}
}

// A number that changes alone has to reach readers.
func TestEveryNumberOfAReportIsCompared(t *testing.T) {
	now := time.Now()
	made := func() *Report {
		return &Report{
			Metrics: []Metric{{Name: "db"}}, Checks: []*checker.Result{nil}, Requests: new(interceptor.Snapshot),
			Breakers: []breaker.Snapshot{{Name: "db", RetryAt: now, Transitions: map[breaker.State]uint64{breaker.Open: 1}}},
		}
	}
	for name, change := range map[string]func(r *Report){
		"watches":         func(r *Report) { r.WatchStreams++ },
		"result":          func(r *Report) { r.Checks[0] = new(checker.Result) },
		"value":           func(r *Report) { r.Metrics[0].Value = "1" },
		"message":         func(r *Report) { r.Metrics[0].Message = "1" },
		"breaker calls":   func(r *Report) { r.Breakers[0].Calls.Rejected++ },
		"breaker window":  func(r *Report) { r.Breakers[0].Window.Slow++ },
		"transitions":     func(r *Report) { r.Breakers[0].Transitions[breaker.Open]++ },
		"retry":           func(r *Report) { r.Breakers[0].RetryAt = now.Add(1) },
		"no requests":     func(r *Report) { r.Requests = nil },
		"started":         func(r *Report) { r.Requests.Total.Started++ },
		"handled":         func(r *Report) { r.Requests.Total.Handled++ },
		"received":        func(r *Report) { r.Requests.Total.MsgReceived++ },
		"sent":            func(r *Report) { r.Requests.Total.MsgSent++ },
		"requests window": func(r *Report) { r.Requests.Window.P99++ },
	} {
		r := made()
		if change(r); sameNumbers(made(), r) || sameNumbers(r, made()) {
			t.Errorf("%s: got the same numbers", name)
		}
	}
	r := made()
	r.Requests.Window.Span, r.Requests.Time, r.Metrics[0].Updated = time.Second, now, now
	if !sameNumbers(made(), r) {
		t.Error("time alone changes numbers")
	}
}
