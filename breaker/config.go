package breaker

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Config configures a Breaker. The zero value of each optional field is the default that the field documents.
type Config struct {
	// Name identifies the breaker in errors, reports and metrics, which are public. Required.
	Name string

	// ConsecutiveFailures in a row open the breaker, over any time. Default 5; negative disables the rule.
	ConsecutiveFailures int

	// FailureRate opens the breaker when this share of the calls in the window failed. Neutral calls and calls in
	// flight do not count. Default 0.5; negative disables the rule.
	FailureRate float64
	// MinCalls is the number of calls in the window from which rates apply. Default 20.
	MinCalls int
	// Window is the time over which rates are computed. It moves in tenths. Default 30 s; at least 10 ms.
	Window time.Duration

	// SlowCall is the duration from which a call is slow; a slow probe fails. Default 0: no call is slow.
	SlowCall time.Duration
	// SlowCallRate opens the breaker when this share of the calls in the window was slow. Default 0.5. It has no effect
	// without SlowCall.
	SlowCallRate float64

	// OpenTime is the first open time. Each failed probe doubles it. It begins anew once the breaker has been closed for as
	// long as it was open, and at least for Window. Default: the smaller of 5 s and MaxOpenTime; at least 1 ms.
	OpenTime time.Duration
	// MaxOpenTime limits the open time, jitter included. Default: the greater of 5 min and OpenTime.
	MaxOpenTime time.Duration
	// Jitter varies the open time by up to this share in both directions, so that instances do not probe at the same
	// time. Default 0.25; negative means none; less than 1.
	Jitter float64

	// MinDeadline is the least time that a caller must have given a call for its deadline to be a failure, otherwise the call
	// is Neutral: the time that a good call may take. Default 100 ms; negative means none.
	MinDeadline time.Duration
	// MaxCallTime is the time after which a call hangs: it is a Failure also if its caller cancels it. A half-open probe
	// has failed then, and a check that probes is given this time. It must be longer than a good call takes. Default: the
	// greatest of 5 s, SlowCall and MinDeadline.
	MaxCallTime time.Duration

	// SuccessThreshold is the number of probes in a row, one at a time, that must succeed to close the breaker. Default 1.
	SuccessThreshold int
	// ProbeOnly reserves probing for the check attached with Breaker.Check: calls are rejected while half-open too. It
	// has no effect without a check, nor once half-open has lasted a minute without a result of the check.
	ProbeOnly bool

	// PassiveWindow lets calls replace runs of the check attached with Breaker.Check: a run passes without calling the
	// dependency if, since the last run and within this time, a call succeeded that took at most this long, and none
	// failed within this time. Each call then reads the clock twice. The check's timeout is a good value. Default 0:
	// every run calls the dependency; keep it for a check that tests more than calls do.
	PassiveWindow time.Duration

	// ObserveOnly publishes states but rejects no call: for a first rollout.
	ObserveOnly bool

	// Classify returns the outcome of a call with this error or nil. It must be pure; no lock is held. It is not called
	// for calls that were canceled or began after their deadline: they are Neutral. Default DefaultClassify.
	Classify func(error) Outcome
}

const (
	// maxName is the greatest length of a name in bytes: names are part of every metric.
	maxName = 256
	// minTime is the least OpenTime and MaxCallTime.
	minTime = time.Millisecond
	// maxTime is what longer times are reduced to, 36 years, so that sums do not overflow.
	maxTime = time.Duration(math.MaxInt64 / 8)
)

func (c Config) withDefaults() Config {
	c.ConsecutiveFailures = cmp.Or(c.ConsecutiveFailures, 5)
	c.FailureRate = cmp.Or(c.FailureRate, 0.5)
	c.MinCalls = cmp.Or(c.MinCalls, 20)
	c.Window = cmp.Or(c.Window, 30*time.Second)
	c.SlowCallRate = cmp.Or(c.SlowCallRate, 0.5)
	if c.OpenTime == 0 {
		c.OpenTime = 5 * time.Second
		if c.MaxOpenTime >= minTime {
			c.OpenTime = min(c.OpenTime, c.MaxOpenTime)
		}
	}
	c.MaxOpenTime = cmp.Or(c.MaxOpenTime, max(5*time.Minute, c.OpenTime))
	c.Jitter = max(cmp.Or(c.Jitter, 0.25), 0)
	if c.MinDeadline == 0 {
		c.MinDeadline = 100 * time.Millisecond
		if c.MaxCallTime >= minTime {
			c.MinDeadline = min(c.MinDeadline, c.MaxCallTime)
		}
	}
	c.MaxCallTime = cmp.Or(c.MaxCallTime, max(5*time.Second, c.SlowCall, c.MinDeadline))
	c.SuccessThreshold = cmp.Or(c.SuccessThreshold, 1)
	for _, d := range []*time.Duration{
		&c.Window, &c.SlowCall, &c.PassiveWindow, &c.OpenTime, &c.MaxOpenTime, &c.MinDeadline, &c.MaxCallTime,
	} {
		*d = min(*d, maxTime)
	}
	if c.Classify == nil {
		c.Classify = DefaultClassify
	}
	return c
}

// validate returns all mistakes in a Config with defaults.
func (c Config) validate() error {
	var mistakes []error
	check := func(ok bool, field string, got any, want string) {
		if !ok {
			mistakes = append(mistakes, fmt.Errorf("breaker %.300q: %s: got %v, want %s", c.Name, field, got, want))
		}
	}
	if c.Name == "" {
		mistakes = append(mistakes, errors.New("breaker: Name is required"))
	}
	check(len(c.Name) <= maxName && printable(c.Name), "Name", fmt.Sprintf("%.300q", c.Name), "at most 256 printable bytes")
	check(c.ConsecutiveFailures <= math.MaxUint16, "ConsecutiveFailures", c.ConsecutiveFailures, "at most 65535")
	check(c.FailureRate <= 1, "FailureRate", c.FailureRate, "a share of at most 1")
	check(c.MinCalls > 0, "MinCalls", c.MinCalls, "a positive number")
	check(c.Window >= 10*time.Millisecond, "Window", c.Window, "at least 10ms")
	check(c.SlowCall >= 0, "SlowCall", c.SlowCall, "a duration, or 0 for none")
	check(c.SlowCallRate > 0 && c.SlowCallRate <= 1, "SlowCallRate", c.SlowCallRate, "a share between 0 and 1")
	check(c.PassiveWindow >= 0, "PassiveWindow", c.PassiveWindow, "a duration, or 0 for none")
	check(c.OpenTime >= minTime, "OpenTime", c.OpenTime, "at least 1ms")
	check(c.MaxOpenTime >= c.OpenTime, "MaxOpenTime", c.MaxOpenTime, "at least OpenTime")
	check(c.Jitter < 1, "Jitter", c.Jitter, "a share of less than 1")
	check(c.MaxCallTime >= minTime, "MaxCallTime", c.MaxCallTime, "at least 1ms")
	check(c.MaxCallTime >= c.MinDeadline, "MinDeadline", c.MinDeadline, "at most MaxCallTime")
	check(c.SuccessThreshold > 0 && c.SuccessThreshold <= math.MaxUint16, "SuccessThreshold", c.SuccessThreshold, "1 to 65535")
	return errors.Join(mistakes...)
}

// printable reports whether a name fits one line of text.
func printable(name string) bool {
	return utf8.ValidString(name) && !strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsPrint(r) })
}
