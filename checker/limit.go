package checker

import (
	"math"
	"strconv"
)

// Limit bounds a measured value. Above and Below make one; the zero Limit bounds nothing.
type Limit struct {
	side       side
	value      float64
	hysteresis float64
}

type side uint8

const (
	unbounded side = iota
	upper
	lower
)

const defaultHysteresis = 0.05

// Above returns a limit that values greater than value exceed.
func Above(value float64) Limit { return Limit{upper, value, defaultHysteresis} }

// Below returns a limit that values less than value exceed.
func Below(value float64) Limit { return Limit{lower, value, defaultHysteresis} }

// Hysteresis returns l with another share of the limit, at least 0 and below 1, by which a value must come back before
// the status improves, so that a value close to the limit does not flap. Default 0.05. A limit of 0 has none.
func (l Limit) Hysteresis(share float64) Limit {
	l.hysteresis = share
	return l
}

// IsZero reports whether l bounds nothing.
func (l Limit) IsZero() bool { return l.side == unbounded }

// IsUpper reports whether Above made l.
func (l Limit) IsUpper() bool { return l.side == upper }

// Value returns the bound, 0 for the zero Limit.
func (l Limit) Value() float64 { return l.value }

// String returns text such as "above 80", and "" for the zero Limit.
func (l Limit) String() string {
	if l.IsZero() {
		return ""
	}
	return [...]string{upper: "above ", lower: "below "}[l.side] + strconv.FormatFloat(l.value, 'f', -1, 64)
}

// exceeded reports whether value is beyond the limit; already says whether the value before was.
func (l Limit) exceeded(value float64, already bool) bool {
	margin := 0.0
	if already {
		margin = math.Abs(l.value) * l.hysteresis
	}
	switch l.side {
	case upper:
		return value > l.value-margin || margin > 0 && value == l.value-margin
	case lower:
		return value < l.value+margin || margin > 0 && value == l.value+margin
	default:
		return false
	}
}

// level grades a measured value, given the grade of the one before.
func (c *Check) level(value float64, before Status) Status {
	switch {
	case c.Critical.exceeded(value, before == Critical):
		return Critical
	case c.Warning.exceeded(value, before == Warning || before == Critical):
		return Warning
	default:
		return Healthy
	}
}
