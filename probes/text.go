package probes

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"github.com/vitals-go/vitals/checker"
	"github.com/vitals-go/vitals/servicer"
)

// brief is the body of a probe: ok, or what fails, one name a line.
func (g gate) brief() []byte {
	if g.serving {
		return []byte("ok")
	}
	if len(g.causes) == 0 {
		return []byte("failing\n")
	}
	var b bytes.Buffer
	for _, cause := range g.causes {
		b.WriteString(subject(cause))
		b.WriteByte('\n')
	}
	return b.Bytes()
}

// subject names a cause in one line.
func subject(cause servicer.Cause) string {
	name := cause.Check
	if name == "" {
		name = cause.Text
	}
	if name == "" {
		name = cause.Reason.String()
	}
	return line(name)
}

// line keeps a text from looking like two.
func line(text string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r == '\u2028' || r == '\u2029' {
			return ' '
		}
		return r
	}, text)
}

// verbose lists every check that gates the probe and whatever else holds it back, then the verdict.
func (g gate) verbose(probe string, q query) []byte {
	kept := g.without(q.excludes)
	listed := make(set, len(g.checks))
	var b bytes.Buffer
	for _, check := range g.checks {
		listed[check.Name] = struct{}{}
		switch {
		case q.excludes(check.Name):
			fmt.Fprintf(&b, "[ ]%s excluded\n", line(check.Name))
		case check.Status.Serves() && !slices.ContainsFunc(g.causes, func(c servicer.Cause) bool { return c.Check == check.Name }):
			fmt.Fprintf(&b, "[+]%s %s\n", line(check.Name), passed(check))
		default:
			fmt.Fprintf(&b, "[-]%s failed: %s\n", line(check.Name), check.Reason)
		}
	}
	for _, cause := range kept.causes {
		if !ofCheck(cause) || !listed.have(cause.Check) {
			fmt.Fprintf(&b, "[-]%s\n", subject(cause))
		}
	}
	known := g.known()
	for _, name := range q.exclude {
		if !known.have(name) {
			fmt.Fprintf(&b, "warning: exclude=%q matches no check of this probe\n", name)
		}
	}
	verdict := "failed"
	if kept.serving {
		verdict = "passed"
	}
	fmt.Fprintf(&b, "%s check %s\n", probe, verdict)
	return b.Bytes()
}

func passed(check *checker.Result) string {
	if check.Status == checker.Warning {
		return "ok, with a warning: " + check.Reason.String()
	}
	return "ok"
}
