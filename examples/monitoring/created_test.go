package main

import (
	"fmt"
	"net/url"
	"testing"
	"time"

	"google.golang.org/grpc/codes"

	"github.com/vitals-go/vitals/internal/e2e/testdeps"
)

// The first failure of a method is an increase where Prometheus stores created timestamps as a 0: its series begins with one that
// is not older than the call.
func TestFirstFailureIsAnIncrease(t *testing.T) {
	t.Parallel()
	each(t, "prometheus", func(t *testing.T, r release) {
		t.Parallel()
		s := start(t, "1")
		p := watch(t, r, wish{created: true}, s)
		p.becomes(`count(last_over_time(health_info[1m]))`, "1")
		before := time.Now()
		s.call(t, 1, codes.Internal)
		const series = `grpc_server_handled_total{grpc_code="Internal"}`
		p.becomes(series, "1")
		if !r.three {
			return // That generation does not read them from the text formats.
		}
		testdeps.Eventually(t, patience, func() error {
			var data struct {
				Result []struct{ Values [][2]any }
			}
			if err := p.get("/api/v1/query?query="+url.QueryEscape(series+"[5m]"), &data); err != nil {
				return err
			}
			if len(data.Result) != 1 || len(data.Result[0].Values) < 2 {
				return fmt.Errorf("the series is %v", data.Result)
			}
			first := data.Result[0].Values[0]
			if at, _ := first[0].(float64); first[1] != "0" || time.UnixMilli(int64(at*1000)).Before(before.Add(-time.Second)) {
				return fmt.Errorf("the series begins with %v at %v, want 0 and not before %v", first[1], first[0], before.Unix())
			}
			return nil
		})
		p.becomes(`round(increase(`+series+`[5m])) > bool 0`, "1")
	})
}
