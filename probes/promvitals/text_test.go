package promvitals_test

import (
	"context"
	"fmt"
	"math"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"

	"github.com/vitals-go/vitals/checker"
	"github.com/vitals-go/vitals/interceptor"
	"github.com/vitals-go/vitals/probes/promvitals"
	"github.com/vitals-go/vitals/servicer"
)

// oddNumbers are written in ways of their own, or lie at the ends of what is.
var oddNumbers = []float64{
	0, math.Copysign(0, -1), 1, -1, -5, 0.1, 1e-7, 12.5, 999_999, 1e6, 1234567, -1e6, -999_999, 1e21, math.MaxFloat64,
	math.SmallestNonzeroFloat64, math.NaN(), math.Inf(1), math.Inf(-1),
}

// TestTextIsWhatClientGolangWouldWrite compares Handler's page, byte for byte, with client_golang's own of the same
// Collector.
func TestTextIsWhatClientGolangWouldWrite(t *testing.T) {
	r := large(len(oddNumbers))
	r.Version, r.WatchStreams = "v1\\\n\"", 1_000_000
	for i, check := range r.Checks {
		odd := check.Name + oddNames[i%len(oddNames)]
		r.Names[i].Name, check.Name, r.Breakers[i].Name = odd, odd, odd
		check.Measurement = checker.Measurement{Value: oddNumbers[i], Unit: "unit" + oddNames[i%len(oddNames)]}
		check.Runs.Durations[i%len(check.Runs.Durations)] = uint64(1) << (3 * i)
		check.Runs.Sum = time.Duration(1) << (3 * i)
		check.Runs.ByStatus[i%4] = uint64(1) << (3 * i)
		check.LastSuccess = time.Unix(int64(i)*1e9, 1)
	}
	recorder := illustrated(t)
	for i, odd := range oddNames {
		info := &grpc.UnaryServerInfo{FullMethod: fmt.Sprintf("/shop.v1.Orders/Method%d%s", i, odd)}
		recorder.Register(services{"shop.v1.Orders": {Methods: []grpc.MethodInfo{{Name: info.FullMethod[len("/shop.v1.Orders/"):]}}}})
		for range 1 + i*i {
			_, _ = recorder.UnaryServer(t.Context(), nil, info, func(context.Context, any) (any, error) { return nil, nil })
		}
	}
	for i := range 12 {
		post(t, recorder, trace(`quo"te\`+fmt.Sprint(i)), time.Duration(1)<<(3*i), codes.Code(i))
	}
	mustBeClientGolangs(t, promvitals.Config{Health: told{r}, Recorder: recorder, Buckets: []float64{0.0001, 0.25, 1, 2.5, 1e6, 2e6}})
	mustBeClientGolangs(t, promvitals.Config{Health: told{r}, Recorder: recorder, AllCodes: true, NativeHistograms: true})
	mustBeClientGolangs(t, promvitals.Config{Health: told{&servicer.Report{}}})
	mustBeClientGolangs(t, promvitals.Config{Recorder: traffic(t, nil)})
}

// mustBeClientGolangs compares the two pages of a Collector.
func mustBeClientGolangs(t *testing.T, config promvitals.Config) {
	t.Helper()
	c := collector(t, config)
	page, err := promvitals.Handler(c)
	if err != nil {
		t.Fatal(err)
	}
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(c)
	theirs := promhttp.HandlerFor(registry, promhttp.HandlerOpts{EnableOpenMetrics: true})
	for _, accept := range []string{text, openMetrics, openMetrics + ";escaping=allow-utf-8", openMetrics + ";escaping=dots", text + ";escaping=values"} {
		got, want := familiesOf(t, page, accept), familiesOf(t, theirs, accept)
		for name, lines := range want {
			for i, line := range lines {
				if i >= len(got[name]) || got[name][i] != line {
					t.Errorf("%s: line %d of %s is not %q: %q", accept, i, name, line, got[name])
					break
				}
			}
			if len(got[name]) > len(lines) {
				t.Errorf("%s: %s has %d lines, want %d", accept, name, len(got[name]), len(lines))
			}
			delete(got, name)
		}
		for name := range got {
			t.Errorf("%s: %s is not in client_golang's page", accept, name)
		}
		if len(want) == 0 {
			t.Errorf("%s: there is nothing to compare with", accept)
		}
	}
}

// familiesOf returns a page's lines by family, in the order of their series: a page may have them in any. What belongs
// to one histogram stays in its order. The Go and process collectors' are left out.
func familiesOf(t *testing.T, handler http.Handler, accept string) map[string][]string {
	t.Helper()
	families, name := map[string][]string{}, ""
	for line := range strings.Lines(get(t, handler, accept).Body.String()) {
		if help, is := strings.CutPrefix(line, "# HELP "); is {
			name, _, _ = strings.Cut(help, " ")
			if ours(name) && families[name] != nil {
				t.Errorf("%s: %s comes twice", accept, name)
			}
		}
		if ours(name) && line != "# EOF\n" {
			families[name] = append(families[name], line)
		}
	}
	for _, lines := range families {
		slices.SortStableFunc(lines, func(a, b string) int { return strings.Compare(seriesOf(a), seriesOf(b)) })
	}
	return families
}

func ours(family string) bool {
	return strings.HasPrefix(family, "grpc_") || strings.HasPrefix(family, "health_")
}

// seriesOf returns the labels of a line without the bound of a bucket; comments come first.
func seriesOf(line string) string {
	if line[0] == '#' {
		return ""
	}
	_, labels, _ := strings.Cut(line, "{")
	labels, _, _ = strings.Cut(labels, " # {") // the exemplar
	labels = labels[:strings.LastIndexByte(labels, '}')+1]
	if bound := strings.LastIndex(labels, `,le="`); bound >= 0 {
		return labels[:bound] + "}"
	}
	return labels
}

// FuzzText compares what names and numbers become with what client_golang makes of them.
func FuzzText(f *testing.F) {
	for i, odd := range oddNames {
		f.Add(odd, oddNumbers[i], uint64(1)<<(6*i))
	}
	f.Fuzz(func(t *testing.T, name string, value float64, n uint64) {
		r := large(1)
		r.Names[0].Name, r.Breakers[0].Name, r.Version = name, name, name
		r.Breakers[0].Calls.Slow, r.Breakers[0].Entered[1] = n, n
		check := r.Checks[0]
		check.Name, check.Measurement = name, checker.Measurement{Value: value, Unit: name}
		check.Runs.Durations[n%uint64(len(check.Runs.Durations))] = n
		check.Runs.Sum, check.Runs.ByStatus[n%4], check.LastSuccess = time.Duration(n), n, time.Unix(0, int64(n))
		recorder := illustrated(t)
		post(t, recorder, map[string]string{"trace_id": name}, time.Duration(n>>1), codes.Code(n%interceptor.Codes))
		mustBeClientGolangs(t, promvitals.Config{Health: told{r}, Recorder: recorder})
	})
}
