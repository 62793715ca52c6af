package orcavitals

import (
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/vitals-go/vitals/interceptor"
)

// Config says what a Reporter reports. The zero value of every field is the default that the field documents.
type Config struct {
	// Recorder counts the calls. Default: none, and then rps_fractional and eps stay unset; weighted_round_robin gives
	// no weight to such a server.
	Recorder *interceptor.Recorder

	// Utilization returns the application's own utilization for application_utilization, such as the share of its
	// workers that are busy: 1 is full, and more is overload. A negative number or NaN means unknown. It is called once
	// each Interval, by Run, and must not block. Default: nobody knows.
	Utilization func() float64
	// MaxInFlight is how many calls the server can work on at a time; see the package's documentation for what
	// becomes of it. It needs Recorder, and excludes Utilization. Default: not known.
	MaxInFlight int

	// Interval is the time between two samples, at least 100 ms, and the shortest time between two reports on a stream.
	// Default 1 s.
	Interval time.Duration
	// Window is how far back the averages reach, 2 to 120 times Interval. Default 5 × Interval.
	Window time.Duration

	// CallMetrics lets handlers add what a call has cost, by grpc-go's orca.CallMetricsRecorderFromContext. Every call
	// then makes a trailer of its own, at some 20 allocations more. Default: all calls share one.
	CallMetrics bool
	// MaxStreams bounds the out-of-band streams; further ones are refused with RESOURCE_EXHAUSTED. Default 10,000;
	// negative: none is allowed.
	MaxStreams int

	// Logger hears when something can no longer be sampled, and when it can again. Default: discard.
	Logger *slog.Logger
}

const (
	defaultInterval   = time.Second
	shortestInterval  = 100 * time.Millisecond // the host's clock ticks a hundred times a second
	defaultSamples    = 5
	mostSamples       = 120
	defaultMaxStreams = 10_000
)

func (c Config) withDefaults() Config {
	if c.Interval == 0 {
		c.Interval = defaultInterval
	}
	if c.Window == 0 {
		c.Window = defaultSamples * c.Interval
	}
	if c.MaxStreams == 0 {
		c.MaxStreams = defaultMaxStreams
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return c
}

// validate reports all mistakes of a Config that has its defaults.
func (c Config) validate() error {
	var mistakes []error
	if c.Interval < shortestInterval {
		mistakes = append(mistakes, fmt.Errorf("orcavitals: Interval is %v, want at least %v", c.Interval, shortestInterval))
	} else if c.Window < 2*c.Interval || c.Window > mostSamples*c.Interval {
		mistakes = append(mistakes, fmt.Errorf("orcavitals: Window is %v, want 2 to %d times Interval (%v)", c.Window, mostSamples, c.Interval))
	}
	if c.MaxInFlight < 0 {
		mistakes = append(mistakes, fmt.Errorf("orcavitals: MaxInFlight is negative: %d", c.MaxInFlight))
	}
	if c.MaxInFlight > 0 && c.Recorder == nil {
		mistakes = append(mistakes, errors.New("orcavitals: MaxInFlight needs a Recorder, which counts what is in flight"))
	}
	if c.MaxInFlight > 0 && c.Utilization != nil {
		mistakes = append(mistakes, errors.New("orcavitals: MaxInFlight and Utilization exclude each other"))
	}
	return errors.Join(mistakes...)
}
