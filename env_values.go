package vitals

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// period is a time of a millisecond at least, which is the least that a check may take.
type period time.Duration

// UnmarshalText implements encoding.TextUnmarshaler.
func (p *period) UnmarshalText(text []byte) error {
	d, err := seconds(string(text))
	if err == nil && d < time.Millisecond {
		err = fmt.Errorf("%q is shorter than a millisecond", text)
	}
	*p = period(d)
	return err
}

// pause is a time that may be nothing.
type pause time.Duration

// UnmarshalText implements encoding.TextUnmarshaler.
func (p *pause) UnmarshalText(text []byte) error {
	d, err := seconds(string(text))
	*p = pause(d)
	return err
}

// longest leaves room to reckon with multiples of a time: 36 years.
const longest = math.MaxInt64 / 8

// seconds reads a plain number of seconds or a Go duration, neither of which may be negative.
func seconds(text string) (time.Duration, error) {
	text = strings.TrimSpace(text)
	d, err := time.ParseDuration(text)
	if err != nil {
		n, numberErr := strconv.ParseFloat(text, 64)
		if numberErr != nil || math.IsNaN(n) || math.IsInf(n, 0) {
			return 0, fmt.Errorf("%q is neither a number of seconds nor a duration such as 1m30s", text)
		}
		if math.Abs(n) > longest/float64(time.Second) {
			return 0, fmt.Errorf("%q is too long", text)
		}
		d = time.Duration(n * float64(time.Second))
		if n > 0 && d == 0 {
			return 0, fmt.Errorf("%q is shorter than a nanosecond", text)
		}
	}
	switch {
	case d < 0:
		return 0, fmt.Errorf("%q is negative", text)
	case d > longest:
		return 0, fmt.Errorf("%q is too long", text)
	}
	return d, nil
}

// percent is a share of a resource, above 0 and at most 100.
type percent float64

// UnmarshalText implements encoding.TextUnmarshaler.
func (p *percent) UnmarshalText(text []byte) error {
	n, err := strconv.ParseFloat(strings.TrimSpace(string(text)), 64)
	if err != nil || !(n > 0 && n <= 100) {
		return fmt.Errorf("%q is not a percentage above 0 and at most 100", text)
	}
	*p = percent(n)
	return nil
}

// flag is true or false, in any case.
type flag bool

// UnmarshalText implements encoding.TextUnmarshaler.
func (f *flag) UnmarshalText(text []byte) error {
	v, err := strconv.ParseBool(strings.ToLower(strings.TrimSpace(string(text))))
	if err != nil {
		return fmt.Errorf("%q is neither true nor false", text)
	}
	*f = flag(v)
	return nil
}

// clientAuth is whether a client may do without a certificate.
type clientAuth bool

// UnmarshalText implements encoding.TextUnmarshaler.
func (c *clientAuth) UnmarshalText(text []byte) error {
	switch word := strings.TrimSpace(string(text)); word {
	case "required", "optional":
		*c = word == "optional"
		return nil
	default:
		return fmt.Errorf("%q is neither required nor optional", text)
	}
}

// names is a comma separated list without empty members.
type names []string

// UnmarshalText implements encoding.TextUnmarshaler.
func (n *names) UnmarshalText(text []byte) error {
	for name := range strings.SplitSeq(string(text), ",") {
		name = strings.TrimSpace(name)
		if name == "" {
			return fmt.Errorf("%q holds an empty name", text)
		}
		*n = append(*n, name)
	}
	return nil
}
