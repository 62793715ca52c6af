package main

import (
	"context"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

// TestSoak is the short form: it finds what is held for ever, not what grows slowly.
func TestSoak(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("/proc tells what a process holds on Linux only")
	}
	if testing.Short() {
		t.Skip("the soak takes its time")
	}
	out := filepath.Join(t.TempDir(), "soak.md")
	err := soak(t.Context(), options{duration: 8 * time.Second, rate: 40, out: out}, t.Output())
	summary, _ := os.ReadFile(out)
	t.Logf("%s", summary)
	if err != nil {
		t.Fatal(err)
	}
	for _, word := range append(quantityNames[:], "rude clients", "steady") {
		if !strings.Contains(string(summary), word) {
			t.Errorf("the summary does not speak of %q", word)
		}
	}
}

func TestMistakesInTheFlags(t *testing.T) {
	for _, o := range []options{{duration: time.Minute}, {rate: 1}, {duration: -1, rate: 1}} {
		if err := soak(context.Background(), o, t.Output()); err == nil {
			t.Errorf("%+v is accepted", o)
		}
	}
}

// series makes 600 samples of one quantity, a second apart; the others are constant.
func series(quantity int, of func(second float64) float64) []sample {
	samples := make([]sample, 600)
	for i := range samples {
		samples[i] = sample{at: time.Duration(i) * time.Second, held: [quantities]float64{100, 30, 10, 50}}
		samples[i].held[quantity] = of(float64(i))
	}
	return samples
}

func TestGrowthIsToldFromNoise(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 1))
	for name, test := range map[string]struct {
		quantity int
		of       func(float64) float64
		leaks    bool
	}{
		"constant":                 {goroutines, func(float64) float64 { return 100 }, false},
		"noise":                    {goroutines, func(float64) float64 { return 100 + 40*random.NormFloat64() }, false},
		"a peak":                   {goroutines, func(s float64) float64 { return 100 + 1000*math.Exp(-(s-500)*(s-500)/200) }, false},
		"filling at the start":     {heap, func(s float64) float64 { return 20 - 10*math.Exp(-s/30) }, false},
		"breathing":                {heap, func(s float64) float64 { return 10 + math.Mod(s, 40)/5 }, false},
		"five a minute":            {goroutines, func(s float64) float64 { return 100 + s/12 + 10*random.NormFloat64() }, true},
		"a descriptor in 20 s":     {descriptors, func(s float64) float64 { return math.Floor(30 + s/20) }, true},
		"a MiB a minute, breathes": {heap, func(s float64) float64 { return 10 + s/60 + math.Mod(s, 40)/10 }, true},
		"memory, 3 MiB a minute":   {memory, func(s float64) float64 { return 50 + s/20 }, true},
	} {
		t.Run(name, func(t *testing.T) {
			rest := sample{held: [quantities]float64{20, 10, 4, 30}}
			v := judge(rest, rest, series(test.quantity, test.of))
			for q, r := range v {
				if want := q == test.quantity && test.leaks; r.leaks != want {
					t.Errorf("%+v: leaks %v, want %v", r, r.leaks, want)
				}
			}
			if v.grown() != test.leaks {
				t.Errorf("grown: %v", v.grown())
			}
		})
	}
}

func TestWhatRemainsIsALeak(t *testing.T) {
	before, after := sample{held: [quantities]float64{20, 10, 4, 30}}, sample{held: [quantities]float64{20, 40, 40, 90}}
	v := judge(before, after, series(heap, func(float64) float64 { return 10 }))
	if !v.grown() || !v[descriptors].remains || v[goroutines].remains || v[heap].remains || v[memory].remains {
		t.Errorf("%+v", v)
	}
	if text := v.markdown(options{duration: time.Minute, rate: 40}, &tally{}); !strings.Contains(text, "**remains**") {
		t.Errorf("the summary does not say so:\n%s", text)
	}
}
