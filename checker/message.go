package checker

import "strconv"

// formatNumber writes a measured value as reports show it.
func formatNumber(number float64) string { return strconv.FormatFloat(number, 'f', 1, 64) }

// message is what everybody may read about r. It is made from what the configuration and the measurement say, never
// from an error.
func (r *Result) message() string {
	switch r.Reason {
	case ReasonOK, ReasonThreshold:
		if r.Value == valueAvailable {
			return r.Title + " is available"
		}
		text := r.Title + " at " + r.Value + r.Measurement.Unit
		if r.Measurement.Source != "" {
			text += " " + r.Measurement.Source
		}
		return text
	case ReasonError:
		if r.Value == valueError {
			return r.Title + " cannot be measured"
		}
		return r.Title + " is unavailable"
	case ReasonTimeout:
		return r.Title + " check timed out"
	case ReasonPanic:
		return r.Title + " check panicked"
	case ReasonStale:
		return r.Title + " has no recent result"
	case ReasonCircuitOpen:
		return r.Title + " is not called: its circuit breaker is open"
	case ReasonStarved:
		return r.Title + " could not be checked: the process gets too little CPU"
	case ReasonMaintenance:
		return r.Title + " is in maintenance"
	default:
		return r.Title + " has not been checked yet"
	}
}
