package checker

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/vitals-go/vitals/internal/errtext"
)

// Outcome is a result that the application pushes.
type Outcome struct {
	// Err is nil if it works; otherwise it counts as one that Check.Run returns, also those of Degraded and Failed.
	Err error
	// Text is public and ends the message, also of a success, unless Err has a text.
	Text string
	// Measurement is judged by the limits of the check. Without limits, the zero Measurement is none.
	Measurement Measurement
	// Values are as those of SetValue.
	Values []Value
	// Duration is what took that long, such as the job whose outcome this is.
	Duration time.Duration
}

// Push sets the result of a check with a TTL, before, during and after Run. Thresholds, limits and Optional apply as to a run.
// It takes effect before it returns, except that with more than 256 checks the next snapshot may be some milliseconds away. It
// returns an error if there is no such check, or one that is run.
func (c *Checker) Push(name string, o Outcome) error {
	pushed := o.outcome()
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.byName[name]
	switch {
	case e == nil:
		return unknownCheck(name)
	case e.check.TTL == 0:
		return fmt.Errorf("checker: check %q has no TTL: its results come from its runs", name)
	}
	pushed.measured = pushed.measured || pushed.err == nil && (!e.check.Warning.IsZero() || !e.check.Critical.IsZero())
	now := time.Now()
	e.started = now
	c.evaluate(e, pushed, now)
	if now.Sub(c.published) >= c.publishInterval() {
		c.publish(now)
	}
	if c.session == nil {
		c.markExpired(now)
		return nil
	}
	c.reschedule(e)
	c.wake()
	return nil
}

// outcome is that of a run which ended so. It calls methods of Err.
func (o *Outcome) outcome() *outcome {
	result := &outcome{ran: true, duration: max(o.Duration, 0)}
	err := o.Err
	if finite(o.Measurement.Value) {
		result.measured, result.measurement = o.Measurement != Measurement{}, o.Measurement
		result.measurement.Unit = cmp.Or(o.Measurement.Unit, "1")
	} else if err == nil {
		err = errNotFinite(o.Measurement.Value)
	}
	result.event = result.classify(context.Background(), err)
	result.measured = result.measured && (result.event == passed || result.event == degraded)
	if result.text == "" {
		result.text = publicText([]string{o.Text})
	}
	var v values
	for _, value := range o.Values {
		v.set(value)
	}
	result.values, result.err = v.end(), errtext.Capture(err)
	return result
}

// Bool adapts a function that returns whether something works to Check.Run: Bool(conn.IsConnected).
func Bool[F func() bool | func(context.Context) bool](works F) func(context.Context) error {
	return func(ctx context.Context) error {
		var ok bool
		switch f := any(works).(type) {
		case func() bool:
			ok = f()
		case func(context.Context) bool:
			ok = f(ctx)
		}
		if !ok {
			return errFalse
		}
		return nil
	}
}

var errFalse = errors.New("the check returned false")
