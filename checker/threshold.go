package checker

// level grades a measured value, given the grade of the one before. A grade begins above its line and ends below
// line × (1 − Hysteresis). Warning and Hysteresis hold their defaults already.
func (t Threshold) level(value float64, before Status) Status {
	beyond := func(line float64, already bool) bool {
		if line <= 0 {
			return false
		}
		if already {
			return value >= line*(1-max(t.Hysteresis, 0))
		}
		return value > line
	}
	switch {
	case beyond(t.Critical, before == Critical):
		return Critical
	case beyond(t.Warning, before == Warning || before == Critical):
		return Warning
	default:
		return Healthy
	}
}
