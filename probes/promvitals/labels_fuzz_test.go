package promvitals_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"

	"github.com/vitals-go/vitals/breaker"
	"github.com/vitals-go/vitals/checker"
	"github.com/vitals-go/vitals/probes/promvitals"
	"github.com/vitals-go/vitals/servicer"
)

// FuzzLabels exports two arbitrary names, and reads the page as Prometheus does: no name may spoil the
// page, break out of its label, or pass for another one.
func FuzzLabels(f *testing.F) {
	for _, name := range []string{
		"", "plain", "a\"b", `a\b`, "a\nb", `a\nb`, "}", `"} 1`, "# HELP", "\xff", `\xff`, `\\xff`, "a\xffb", `a\x5cb`, `\x`, "\\x5cxff", "\x00", "é", "e\u0301",
		"\u2028", "\ufeff", "\U0001fa7a", strings.Repeat("n", 5000), "\xed\xa0\x80", "\xc3\x28",
	} {
		f.Add(name, "\xff")
		f.Add(name, `\xff`)
		f.Add("é", name)
	}
	f.Fuzz(func(t *testing.T, one, other string) {
		if one == other {
			other += "'"
		}
		r := report()
		r.Names = []servicer.ServingName{{Name: one, Status: healthpb.HealthCheckResponse_SERVING}, {Name: other}}
		r.Checks = []*checker.Result{{Name: one, Status: checker.Healthy}, {Name: other, Status: checker.Critical, Measurement: checker.Measurement{Value: 1, Unit: one}}}
		r.Breakers = []breaker.Snapshot{{Name: one, State: breaker.Open}, {Name: other}}
		r.Version = one
		registry := prometheus.NewRegistry()
		registry.MustRegister(collector(t, promvitals.Config{Source: staticSource{r}}))
		families, err := registry.Gather()
		if err != nil {
			t.Fatalf("%q and %q cannot be gathered: %v", one, other, err)
		}
		var page strings.Builder
		for _, family := range families {
			if _, err := expfmt.MetricFamilyToText(&page, family); err != nil {
				t.Fatal(err)
			}
		}
		parser := expfmt.NewTextParser(model.UTF8Validation)
		read, err := parser.TextToMetricFamilies(strings.NewReader(page.String()))
		if err != nil {
			t.Fatalf("%q and %q spoil the page: %v", one, other, err)
		}
		if len(read) != len(families) {
			t.Fatalf("%d families are read, %d were written", len(read), len(families))
		}
		mustShow(t, read["health_status"], map[string]float64{one: 1, other: 0})
		mustShow(t, read["health_check_consecutive_failures"], map[string]float64{one: 0, other: 0})
		mustShow(t, read["health_breaker_slow_calls_total"], map[string]float64{one: 0, other: 0})
	})
}

// mustShow compares a family of one label with what it must hold.
func mustShow(t *testing.T, family *dto.MetricFamily, want map[string]float64) {
	t.Helper()
	got := map[string]float64{}
	for _, m := range family.GetMetric() {
		label := m.GetLabel()[0].GetValue()
		if !utf8.ValidString(label) {
			t.Errorf("the label %q is not UTF-8", label)
		}
		got[nameOf(label)] = m.GetGauge().GetValue() + m.GetCounter().GetValue()
	}
	for name, value := range want {
		if v, found := got[name]; !found || v != value || len(got) != len(want) {
			t.Errorf("the page shows %v, want %v", got, want)
			return
		}
	}
}

// nameOf undoes the escapes of a label: \xHH is the byte of that number.
func nameOf(label string) string {
	var name strings.Builder
	for label != "" {
		const digits = "0123456789abcdef"
		if rest, escaped := strings.CutPrefix(label, `\x`); escaped && len(rest) >= 2 {
			high, low := strings.IndexByte(digits, rest[0]), strings.IndexByte(digits, rest[1])
			if high >= 0 && low >= 0 {
				name.WriteByte(byte(high<<4 | low))
				label = rest[2:]
				continue
			}
		}
		name.WriteByte(label[0])
		label = label[1:]
	}
	return name.String()
}
