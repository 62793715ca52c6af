package vitals

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/vitals-go/vitals/checker"
	"github.com/vitals-go/vitals/servicer"
)

// maxDuration, 36 years, keeps multiples of a duration from overflowing.
const maxDuration = math.MaxInt64 / 8

// parseSeconds parses a number of seconds or a Go duration, not negative.
func parseSeconds(text string) (time.Duration, error) {
	text = strings.TrimSpace(text)
	d, err := time.ParseDuration(text)
	if err != nil {
		n, numberErr := strconv.ParseFloat(text, 64)
		if numberErr != nil || math.IsNaN(n) || math.IsInf(n, 0) {
			return 0, fmt.Errorf("got %q, want a number of seconds or a duration such as 1m30s", text)
		}
		if math.Abs(n) > maxDuration/float64(time.Second) {
			return 0, fmt.Errorf("got %q, want at most 36 years", text)
		}
		d = time.Duration(n * float64(time.Second))
		if n > 0 && d == 0 {
			return 0, fmt.Errorf("got %q, want at least a nanosecond", text)
		}
	}
	switch {
	case d < 0:
		return 0, fmt.Errorf("got %q, want no negative duration", text)
	case d > maxDuration:
		return 0, fmt.Errorf("got %q, want at most 36 years", text)
	}
	return d, nil
}

// atLeast is parseSeconds for a duration of at least least.
func atLeast(least time.Duration) func(text string) (time.Duration, error) {
	return func(text string) (time.Duration, error) {
		d, err := parseSeconds(text)
		if err == nil && d < least {
			err = fmt.Errorf("got %q, want at least %v", text, least)
		}
		return d, err
	}
}

// parsePercent parses a threshold above 0 and at most 100.
func parsePercent(text string) (checker.Limit, error) {
	n, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
	if err != nil || !(n > 0 && n <= 100) {
		return checker.Limit{}, fmt.Errorf("got %q, want a percentage above 0 and at most 100", text)
	}
	return checker.Above(n), nil
}

// parseCPUs parses a number of CPUs above 0.
func parseCPUs(text string) (float64, error) {
	n, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
	if err != nil || !(n > 0) || math.IsInf(n, 0) {
		return 0, fmt.Errorf("got %q, want a number of CPUs above 0, such as 0.5", text)
	}
	return n, nil
}

// parseBytes parses a number of bytes above 0.
func parseBytes(text string) (uint64, error) {
	n, err := strconv.ParseUint(strings.TrimSpace(text), 10, 64)
	if err != nil || n == 0 {
		return 0, fmt.Errorf("got %q, want a number of bytes above 0, such as 536870912", text)
	}
	return n, nil
}

// parseBool parses what strconv.ParseBool accepts, in any case.
func parseBool(text string) (bool, error) {
	v, err := strconv.ParseBool(strings.ToLower(strings.TrimSpace(text)))
	if err != nil {
		return false, fmt.Errorf("got %q, want true or false", text)
	}
	return v, nil
}

// parseClientAuth reports whether client certificates are optional.
func parseClientAuth(text string) (bool, error) {
	switch strings.TrimSpace(text) {
	case "required":
		return false, nil
	case "optional":
		return true, nil
	default:
		return false, fmt.Errorf("got %q, want required or optional", text)
	}
}

func parseDetails(text string) (servicer.DetailsPolicy, error) {
	var p servicer.DetailsPolicy
	err := p.UnmarshalText([]byte(text))
	return p, err
}

// parsePaths is parseNames without repetitions.
func parsePaths(text string) ([]string, error) {
	paths, err := parseNames(text)
	for i, path := range paths {
		if slices.Contains(paths[:i], path) {
			err = fmt.Errorf("got %q, which lists %s twice", text, path)
		}
	}
	return paths, err
}

// parseNames parses a comma-separated list without empty items.
func parseNames(text string) (names []string, err error) {
	for name := range strings.SplitSeq(text, ",") {
		name = strings.TrimSpace(name)
		if name == "" {
			return nil, fmt.Errorf("got %q, want no empty name", text)
		}
		names = append(names, name)
	}
	return names, nil
}
