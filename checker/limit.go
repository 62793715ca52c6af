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
	own        bool // hysteresis was set, not the default
}

const defaultHysteresis = 0.05

// Above returns a limit that values greater than value exceed.
func Above(value float64) Limit { return Limit{side: 1, value: value} }

// Below returns a limit that values less than value exceed.
func Below(value float64) Limit { return Limit{side: -1, value: value} }

// Hysteresis returns l with another share of the limit, at least 0 and below 1, by which a value must come back before
// the status improves, so that a value close to the limit does not flap. Default 0.05, and
// none for whole numbers other than percentages: a count on its limit is within it. A limit of 0 has none.
func (l Limit) Hysteresis(share float64) Limit {
	l.hysteresis, l.own = share, true
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

// exceeded reports whether m is beyond the limit; already says whether the value before was.
func (l Limit) exceeded(m Measurement, already bool) bool {
	side, share := float64(l.side), l.hysteresis
	if !l.own && (m.Unit == "%" || m.Value != math.Trunc(m.Value)) {
		share = defaultHysteresis
	}
	if margin := math.Abs(l.value) * share; already && margin > 0 {
		return l.side != 0 && side*m.Value >= side*l.value-margin
	}
	return side*m.Value > side*l.value
}

// level grades a measured value, given the grade of the one before.
func (c *Check) level(m Measurement, before Status) Status {
	switch {
	case c.Critical.exceeded(m, before == Critical):
		return Critical
	case c.Warning.exceeded(m, before == Warning || before == Critical):
		return Warning
	default:
		return Healthy
	}
}
