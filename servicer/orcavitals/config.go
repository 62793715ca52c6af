package orcavitals

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/vitals-go/vitals/checker/resource"
	"github.com/vitals-go/vitals/interceptor"
)

// Config configures a Reporter.
type Config struct {
	// Recorder counts the calls. Default: none; rps_fractional and eps then stay unset, and weighted_round_robin assigns
	// no weight.
	Recorder *interceptor.Recorder

	// Utilization returns application_utilization, such as the share of busy workers: 1 is full, more is overload. A
	// negative number or NaN means unknown. Run calls it once each Interval; it must not block. Default: unknown.
	Utilization func() float64
	// MaxInFlight is the number of calls that the server can process at the same time; application_utilization is then
	// the share of it in flight. It requires Recorder and excludes Utilization. Default: unknown.
	MaxInFlight int

	// Resources configures limits of CPU and memory that the process cannot see: its fields CPUs and MemoryBytes, no others.
	// Default: none.
	Resources resource.Config

	// Interval is the time between two samples and the minimum between two reports on a stream. Default 1 s, 100 ms to
	// 24 h.
	Interval time.Duration
	// Window is the time that averages cover, 2 to 120 times Interval. Default 5 × Interval.
	Window time.Duration
	// MaxStreams bounds the out-of-band streams; further ones fail with RESOURCE_EXHAUSTED. Default 10,000; negative:
	// none is allowed.
	MaxStreams int

	// Logger receives one record when a sampler starts to fail and one when it works again. Default: slog.Default().
	Logger *slog.Logger
}

const (
	minInterval = 100 * time.Millisecond // the host's clock ticks a hundred times a second
	maxInterval = 24 * time.Hour         // keeps multiples from overflowing
	maxSamples  = 120
)

func (cfg Config) withDefaults() Config {
	cfg.Interval = cmp.Or(cfg.Interval, time.Second)
	cfg.Window = cmp.Or(cfg.Window, 5*cfg.Interval)
	cfg.MaxStreams = cmp.Or(cfg.MaxStreams, 10_000)
	return cfg
}

// validate joins all mistakes of a Config with its defaults.
func (cfg Config) validate() error {
	var errs []error
	reject := func(wrong bool, format string, args ...any) {
		if wrong {
			errs = append(errs, fmt.Errorf("orcavitals: "+format, args...))
		}
	}
	wrong := cfg.Interval < minInterval || cfg.Interval > maxInterval
	reject(wrong, "Interval: got %v, want %v to %v", cfg.Interval, minInterval, maxInterval)
	reject(!wrong && (cfg.Window < 2*cfg.Interval || cfg.Window > maxSamples*cfg.Interval),
		"Window: got %v, want 2 to %d times Interval (%v)", cfg.Window, maxSamples, cfg.Interval)
	reject(cfg.MaxInFlight < 0, "MaxInFlight: got %d, want at least 0", cfg.MaxInFlight)
	reject(cfg.MaxInFlight > 0 && cfg.Recorder == nil, "MaxInFlight: requires Recorder")
	reject(cfg.MaxInFlight > 0 && cfg.Utilization != nil, "MaxInFlight: excludes Utilization")
	return errors.Join(errs...)
}
