package checker

import (
	"math"
	"strconv"
)

// Limit bounds a measured value. Above and Below make one; the zero Limit bounds nothing.
type Limit struct {
	side       int8 // 1 for above, -1 for below, 0 for none
	value      float64
	hysteresis float64
}

const defaultHysteresis = 0.05

// Above returns a limit that values greater than value exceed.
func Above(value float64) Limit { return Limit{1, value, defaultHysteresis} }

// Below returns a limit that values less than value exceed.
func Below(value float64) Limit { return Limit{-1, value, defaultHysteresis} }

// Hysteresis returns l with another share of the limit, at least 0 and below 1, by which a value must come back before
// the status improves, so that a value close to the limit does not flap. Default 0.05. A limit of 0 has none.
func (l Limit) Hysteresis(share float64) Limit {
	l.hysteresis = share
	return l
}

// IsZero reports whether l bounds nothing.
func (l Limit) IsZero() bool { return l.side == 0 }

// IsUpper reports whether Above made l.
func (l Limit) IsUpper() bool { return l.side > 0 }

// Value returns the bound, 0 for the zero Limit.
func (l Limit) Value() float64 { return l.value }

// String returns text such as "above 80", and "" for the zero Limit.
func (l Limit) String() string {
	if l.IsZero() {
		return ""
	}
	return [...]string{"below ", "", "above "}[l.side+1] + strconv.FormatFloat(l.value, 'f', -1, 64)
}

// exceeded reports whether value is beyond the limit; already says whether the value before was.
func (l Limit) exceeded(value float64, already bool) bool {
	side := float64(l.side)
	if margin := math.Abs(l.value) * l.hysteresis; already && margin > 0 {
		return l.side != 0 && side*value >= side*l.value-margin
	}
	return side*value > side*l.value
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
