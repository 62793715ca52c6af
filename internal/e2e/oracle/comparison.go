package oracle

import (
	"fmt"
	"slices"
	"strings"
	"sync"
)

// Comparison compares what endpoints report with what is expected. It is safe for concurrent use.
type Comparison struct {
	Expected

	mu    sync.Mutex
	count map[string]int
	wrong []Difference
}

// Difference is a wrong answer.
type Difference struct{ Endpoint, Subject, Got, Want string }

func (d Difference) String() string {
	return fmt.Sprintf("%s: %s is %s, want %s", d.Endpoint, d.Subject, d.Got, d.Want)
}

// Compare begins a comparison with e.
func Compare(e Expected) *Comparison { return &Comparison{Expected: e, count: map[string]int{}} }

// Equal compares what an endpoint reports about a subject; an empty want is undecided.
func (c *Comparison) Equal(endpoint, subject, got, want string) {
	if want != "" {
		c.Check(endpoint, subject, got, want, got == want)
	}
}

// Check records what an endpoint reports about a subject, right or wrong.
func (c *Comparison) Check(endpoint, subject, got, want string, right bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.count[endpoint]++
	if !right {
		c.wrong = append(c.wrong, Difference{endpoint, subject, got, want})
	}
}

// Failed records that an endpoint has not answered.
func (c *Comparison) Failed(endpoint string, err error) {
	c.Check(endpoint, "the answer", fmt.Sprintf("%q", err), "there", false)
}

// Report compares an overall status, and statuses by check.
func (c *Comparison) Report(endpoint, overall string, checks map[string]string) {
	for name, want := range c.Checks {
		c.Equal(endpoint, "check "+name, checks[name], want)
	}
	c.Equal(endpoint, "the overall status", overall, c.Overall)
}

// Statuses compares serving statuses by name.
func (c *Comparison) Statuses(endpoint string, names map[string]string) {
	for name, want := range c.Names {
		c.Equal(endpoint, fmt.Sprintf("%q", name), names[name], want)
	}
}

// Differences returns the wrong answers so far.
func (c *Comparison) Differences() []Difference {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.wrong)
}

// Counts adds the number of answers compared to total, by endpoint.
func (c *Comparison) Counts(total map[string]int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for endpoint, n := range c.count {
		total[endpoint] += n
	}
}

// Err is nil if nothing differs.
func (c *Comparison) Err() error {
	var lines []string
	for _, d := range c.Differences() {
		lines = append(lines, "  "+d.String())
	}
	if len(lines) == 0 {
		return nil
	}
	slices.Sort(lines)
	return fmt.Errorf("%d wrong answers:\n%s", len(lines), strings.Join(lines, "\n"))
}
