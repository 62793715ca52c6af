package main

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// What a quantity may differ by without being a leak: so much, and that share of its median. The heap breathes with its
// collections, and the system gives memory back late.
var (
	slack  = [quantities]float64{goroutines: 12, descriptors: 8, heap: 4, memory: 10}
	shares = [quantities]float64{goroutines: 0.1, descriptors: 0.1, heap: 0.2, memory: 0.15}
)

// trend is what became of one quantity.
type trend struct {
	name          string
	before, after float64    // at rest
	thirds        [3]float64 // medians
	slope         float64    // per hour
	growth        float64    // what the slope makes of the whole time
	allowed       float64
	leaks         bool
	remains       bool // more is held at rest than before the load
}

type verdict []trend

// shortest is the time below which nothing is called growth: a crowd needs as long to gather.
const shortest = time.Minute

// judge looks at the samples after the first sixth, in which caches and pools fill. A quantity grows if the median of all
// slopes between two samples (Theil and Sen) makes more of the time than is allowed, and the medians of the thirds rise
// with it: neither a few odd samples nor one step are a leak.
func judge(before, after sample, samples []sample) verdict {
	settled := samples[len(samples)/6:]
	v := make(verdict, quantities)
	for q := range v {
		series := make([]float64, len(settled))
		for i, s := range settled {
			series[i] = s.held[q]
		}
		r := trend{name: quantityNames[q], before: before.held[q], after: after.held[q]}
		for i := range r.thirds {
			r.thirds[i] = median(series[i*len(series)/3 : (i+1)*len(series)/3])
		}
		perSecond := theilSen(settled, q)
		span := settled[len(settled)-1].at - settled[0].at
		r.slope, r.growth = perSecond*3600, perSecond*span.Seconds()
		r.allowed = slack[q] + shares[q]*median(series)
		rising := r.thirds[0] < r.thirds[1] && r.thirds[1] < r.thirds[2]
		r.leaks = rising && r.growth > r.allowed && span >= shortest
		r.remains = (q == goroutines || q == descriptors) && r.after > r.before+slack[q]
		v[q] = r
	}
	return v
}

// theilSen is the median of the slopes between all pairs of samples, per second.
func theilSen(samples []sample, quantity int) float64 {
	var slopes []float64
	step := max(len(samples)/300, 1) // 300 samples make 45,000 pairs
	for i := 0; i < len(samples); i += step {
		for j := i + step; j < len(samples); j += step {
			if passed := (samples[j].at - samples[i].at).Seconds(); passed > 0 {
				slopes = append(slopes, (samples[j].held[quantity]-samples[i].held[quantity])/passed)
			}
		}
	}
	return median(slopes)
}

// median of the values, 0 if there are none.
func median(values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(values))
	if n := len(sorted); n%2 == 0 {
		return (sorted[n/2-1] + sorted[n/2]) / 2
	}
	return sorted[len(sorted)/2]
}

func (v verdict) grown() bool {
	return slices.ContainsFunc(v, func(r trend) bool { return r.leaks || r.remains })
}

// markdown is the summary.
func (v verdict) markdown(o options, done *tally) string {
	var b strings.Builder
	fmt.Fprintf(&b, "# Soak of the example server: %v\n\n", o.duration.Round(time.Second))
	fmt.Fprintf(&b, "    go run ./internal/e2e/soak -for %v -rps %v\n\n%s\n\n", o.duration, o.rate, done)
	fmt.Fprint(&b, "| | at rest before | thirds, medians | per hour | over the time | allowed | at rest after | |\n|---|---|---|---|---|---|---|---|\n")
	for _, r := range v {
		word := "steady"
		if r.leaks {
			word = "**grows**"
		}
		if r.remains {
			word += ", **remains**"
		}
		fmt.Fprintf(&b, "| %s | %.1f | %.1f · %.1f · %.1f | %+.2f | %+.2f | %.1f | %.1f | %s |\n",
			r.name, r.before, r.thirds[0], r.thirds[1], r.thirds[2], r.slope, r.growth, r.allowed, r.after, word)
	}
	return b.String()
}
