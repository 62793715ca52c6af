package breaker

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Config describes a breaker. The zero value of every optional field is the default that the field documents.
type Config struct {
	// Name identifies the breaker in errors, reports and metrics. Required. It is shown to everybody.
	Name string

	// ConsecutiveFailures in a row open the breaker, however long they take. Default 5; negative disables the rule.
	ConsecutiveFailures int

	// FailureRate opens the breaker when this share of the window's calls failed. Default 0.5; negative disables the
	// rule. Calls in flight and neutral calls are not in the sum.
	FailureRate float64
	// MinCalls is how many calls the window must hold before a rate is believed. Default 20.
	MinCalls int
	// Window is the rolling time over which the rates are taken. It turns in tenths. Default 30 s.
	Window time.Duration

	// SlowCall is the duration from which a call is slow. Default 0: no call is.
	SlowCall time.Duration
	// SlowCallRate opens the breaker when this share of the window's calls was slow. Default 0.5. Without SlowCall
	// it has no meaning. With it, a probe that is slow has failed.
	SlowCallRate float64

	// OpenTime is how long the breaker stays open the first time. It doubles each time a probe fails. Default: the
	// smaller of 5 s and MaxOpenTime; at least 1 ms.
	OpenTime time.Duration
	// MaxOpenTime limits the open time, jitter included. Default: the greater of 5 min and OpenTime.
	MaxOpenTime time.Duration
	// Jitter spreads the open time by up to this share, either way, so that many instances with the same fault do
	// not come back together. Default 0.25; negative means none; less than 1.
	Jitter float64

	// ProbeTimeout is the lease of a half-open probe: one that has not reported by then has failed. So it must be longer
	// than a good call may take, or no call can close the breaker. It is also the timeout of a probing check. Default: the
	// greater of 5 s and SlowCall.
	ProbeTimeout time.Duration
	// ProbeOnly leaves probing to the check that is attached with Breaker.Check: calls are turned away in half-open
	// too. It has no effect without such a check, and lapses when the check has brought no result for a minute, so
	// that a checker that does not run cannot keep a breaker open.
	ProbeOnly bool

	// PassiveWindow lets calls stand for the check that is attached with Breaker.Check, so that a busy dependency is not asked
	// at all: a run passes without asking if a call that took at most so long has succeeded since the run before and
	// within this time, and none has failed within it. Each call then reads the clock twice. The check's timeout is a
	// good value. Default 0: every run asks, as is right for a check that learns more than calls do.
	PassiveWindow time.Duration

	// ObserveOnly judges and publishes but turns no call away: for a first roll-out.
	ObserveOnly bool

	// Classify says what a call's error, or nil, tells about the dependency. It must be pure; it is called without
	// any lock. It is not asked about calls whose context was cancelled or had ended before the call: they are
	// Neutral. Default DefaultClassify.
	Classify func(error) Outcome
}

// Names longer than this are a mistake: they end up in every metric.
const maxName = 256

// shortest is the least OpenTime and ProbeTimeout.
const shortest = time.Millisecond

// forever is what longer times are cut to, 36 years: sums of times must not overflow, not even where a program says
// "never" with the longest time there is.
const forever = time.Duration(math.MaxInt64 / 8)

func (c Config) withDefaults() Config {
	orInt(&c.ConsecutiveFailures, 5)
	orInt(&c.MinCalls, 20)
	orFloat(&c.FailureRate, 0.5)
	orFloat(&c.SlowCallRate, 0.5)
	orFloat(&c.Jitter, 0.25)
	c.Jitter = max(c.Jitter, 0)
	orDuration(&c.Window, 30*time.Second)
	if c.MaxOpenTime >= shortest {
		orDuration(&c.OpenTime, min(5*time.Second, c.MaxOpenTime))
	}
	orDuration(&c.OpenTime, 5*time.Second)
	orDuration(&c.MaxOpenTime, max(5*time.Minute, c.OpenTime))
	orDuration(&c.ProbeTimeout, max(5*time.Second, c.SlowCall))
	for _, d := range []*time.Duration{&c.Window, &c.SlowCall, &c.PassiveWindow, &c.OpenTime, &c.MaxOpenTime, &c.ProbeTimeout} {
		*d = min(*d, forever)
	}
	if c.Classify == nil {
		c.Classify = DefaultClassify
	}
	return c
}

// validate reports every mistake in a Config whose defaults have been filled in.
func (c Config) validate() error {
	var mistakes []error
	check := func(ok bool, field string, value any, want string) {
		if !ok {
			mistakes = append(mistakes, fmt.Errorf("breaker %q: %s is %v, want %s", c.Name, field, value, want))
		}
	}
	check(c.Name != "" && len(c.Name) <= maxName, "Name", len(c.Name), "1 to 256 bytes")
	check(presentable(c.Name), "Name", strconv.Quote(c.Name), "printable characters")
	check(c.ConsecutiveFailures <= math.MaxUint16, "ConsecutiveFailures", c.ConsecutiveFailures, "at most 65535")
	check(c.FailureRate <= 1, "FailureRate", c.FailureRate, "a share of at most 1")
	check(c.MinCalls > 0, "MinCalls", c.MinCalls, "a positive number")
	check(c.Window >= 10*time.Millisecond, "Window", c.Window, "at least 10ms")
	check(c.SlowCall >= 0, "SlowCall", c.SlowCall, "a duration, or 0 for none")
	check(c.SlowCallRate > 0 && c.SlowCallRate <= 1, "SlowCallRate", c.SlowCallRate, "a share between 0 and 1")
	check(c.PassiveWindow >= 0, "Evidence", c.PassiveWindow, "a duration, or 0 for none")
	check(c.OpenTime >= shortest, "OpenTime", c.OpenTime, "at least 1ms")
	check(c.MaxOpenTime >= c.OpenTime, "MaxOpenTime", c.MaxOpenTime, "at least OpenTime")
	check(c.Jitter < 1, "Jitter", c.Jitter, "a share of less than 1")
	check(c.ProbeTimeout >= shortest, "ProbeTimeout", c.ProbeTimeout, "at least 1ms")
	return errors.Join(mistakes...)
}

// presentable reports whether a name may be shown in one line.
func presentable(name string) bool {
	return utf8.ValidString(name) && !strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsPrint(r) })
}

func orInt(field *int, value int) {
	if *field == 0 {
		*field = value
	}
}

func orFloat(field *float64, value float64) {
	if *field == 0 {
		*field = value
	}
}

func orDuration(field *time.Duration, value time.Duration) {
	if *field == 0 {
		*field = value
	}
}
