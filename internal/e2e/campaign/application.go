package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"google.golang.org/grpc"

	"github.com/vitals-go/vitals/internal/e2e/endpoints"
	"github.com/vitals-go/vitals/servicer/vitalspb"
)

// apply does what an application does with its health. Every endpoint follows before the call returns.
func (c *campaign) apply(ctx context.Context, s step) error {
	var err error
	switch s.kind {
	case manual:
		err = c.setManual(ctx, s.name, s.status)
	case shutdown:
		err = c.control.do(ctx, "shutdown", "", "")
		c.truth.shutdown = true
	case resume:
		err = c.resume(ctx)
	case shutAndResume:
		err = errors.Join(c.atOnce(ctx), c.resume(ctx))
	case replaceCheck:
		err = c.control.do(ctx, "replace", c.truth.present[s.draw%uint64(len(c.truth.present))], "")
	case forceBreaker:
		c.truth.reserve = !c.truth.reserve
		state := map[bool]string{true: "open", false: "closed"}[c.truth.reserve]
		return c.control.do(ctx, "breaker", reserve, state) // A breaker is read by the next evaluation.
	}
	if err != nil {
		return err
	}
	return c.compareAtOnce(ctx)
}

func (c *campaign) compareAtOnce(ctx context.Context) error {
	q := c.compare()
	c.endpoints.CompareAtOnce(ctx, q)
	c.tally.asked(q)
	if err := q.Err(); err != nil {
		return fmt.Errorf("as soon as the call has returned: %w", err)
	}
	return nil
}

// setManual sets a manual status, which Shutdown ignores.
func (c *campaign) setManual(ctx context.Context, name, status string) error {
	if !c.truth.shutdown {
		c.truth.manual[cmp.Or(name, "readiness")] = status
	}
	return c.control.do(ctx, "set", name, status)
}

// resume sets every manual status to SERVING.
func (c *campaign) resume(ctx context.Context) error {
	c.truth.shutdown = false
	for name := range c.truth.manual {
		c.truth.manual[name] = "SERVING"
	}
	return c.control.do(ctx, "resume", "", "")
}

// atOnce makes many calls concurrently.
func (c *campaign) atOnce(ctx context.Context) error {
	var (
		calls sync.WaitGroup
		errs  = make([]error, 16)
	)
	for i := range errs {
		calls.Go(func() {
			switch i % 4 {
			case 0:
				errs[i] = c.control.do(ctx, "shutdown", "", "")
			case 1:
				errs[i] = c.control.do(ctx, "resume", "", "")
			case 2:
				errs[i] = c.control.do(ctx, "set", "none", "NOT_SERVING")
			case 3:
				errs[i] = c.control.do(ctx, "set", "", "NOT_SERVING")
			}
		})
	}
	calls.Wait()
	// What follows a status within a moment may replace it in the report, so that is read first.
	errs = append(errs, c.observer.look(ctx, c.endpoints))
	// Resume comes next, which makes these SERVING, unless a Shutdown has kept them from being set.
	set := errors.Join(c.control.do(ctx, "resume", "", ""), c.control.do(ctx, "set", "none", "SERVING"), c.control.do(ctx, "set", "", "SERVING"))
	c.truth.manual["none"], c.truth.manual["readiness"] = "SERVING", "SERVING"
	return errors.Join(append(errs, set)...)
}

// maintain begins the maintenance of a name, renews it, and waits for its end, whatever the wall clock does meanwhile.
func (c *campaign) maintain(ctx context.Context, s step) error {
	_, set := c.truth.manual[s.name]
	if c.truth.hidden && !set && slices.Contains(dependencies, s.name) {
		if c.control.do(ctx, "maintain", s.name, "1m") == nil {
			return fmt.Errorf("maintenance of %q, which is hidden, has begun", s.name)
		}
		return nil
	}
	d := time.Second + s.pause
	for _, d := range []time.Duration{time.Minute, time.Millisecond, time.Hour, d} {
		if err := c.control.do(ctx, "maintain", s.name, d.String()); err != nil {
			return err
		}
	}
	began := time.Now()
	if c.clock != nil && s.draw%2 == 0 {
		if err := c.jump(ctx, s); err != nil {
			return err
		}
	}
	for {
		in, err := c.inMaintenance(ctx, s.name)
		lasted := time.Since(began)
		switch {
		case err != nil:
			return err
		case !in && lasted < d-c.timeout/5:
			return fmt.Errorf("the maintenance of %q for %v was over after %v", s.name, d, lasted)
		case !in:
			return nil
		case lasted > d+c.allowance:
			return fmt.Errorf("the maintenance of %q for %v is not over after %v", s.name, d, lasted)
		}
		if err := pause(ctx, 20*time.Millisecond); err != nil {
			return err
		}
	}
}

// inMaintenance reports whether the report lists a name as in maintenance, and wants it not to serve then.
func (c *campaign) inMaintenance(ctx context.Context, name string) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, endpoints.Timeout)
	defer cancel()
	report, err := c.endpoints.Reports.GetHealthReport(ctx, &vitalspb.HealthReportRequest{})
	if err != nil {
		return false, err
	}
	canonical := func(name string) string { return cmp.Or(name, "readiness") }
	in := slices.ContainsFunc(report.GetMaintenance(), func(m *vitalspb.Maintenance) bool { return canonical(m.GetName()) == canonical(name) })
	for _, n := range report.GetNames() {
		if in && n.GetName() == name && n.GetStatus() != "NOT_SERVING" {
			return true, fmt.Errorf("%q is in maintenance and %s", name, n.GetStatus())
		}
	}
	return in, nil
}

// toggleSilent lets silent clients come, to stay until the server ends, or leave.
func (c *campaign) toggleSilent() (err error) {
	if c.truth.silent = !c.truth.silent; !c.truth.silent {
		c.silent.Close()
		c.silent = nil
		return nil
	}
	c.silent, err = endpoints.OpenSilent(func() (*grpc.ClientConn, error) {
		return endpoints.Dial(c.endpoints.Addr, endpoints.SilentOptions()...)
	}, true)
	return err
}
