package promvitals

import (
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
)

func TestExemplarMayHaveAsManyRunesAsOpenMetricsAllows(t *testing.T) {
	for more, want := range []bool{true, false} {
		value := strings.Repeat("é", prometheus.ExemplarMaxRunes-len("trace_id")+more)
		if got := exemplarLabels(map[string]string{"trace_id": value}) != nil; got != want {
			t.Errorf("%d runes more than allowed: got labels %v, want %v", more, got, want)
		}
	}
}
