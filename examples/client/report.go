package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"time"
)

// report prints a line every second until ctx ends. On a terminal it is one line that keeps changing.
func report(ctx context.Context, w io.Writer, t *tally, f *follower, v *verdict) {
	before, after := "", "\n"
	if terminal(w) {
		before, after = "\r\x1b[K", "" // To the line's beginning, and erase it.
		defer fmt.Fprintln(w)
	}
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for last := time.Now(); ; {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		c, now := t.look(), time.Now()
		fmt.Fprintf(w, "%s%s  %.0f/s  %s  p50 %v  p99 %v  %v  health %v%s", before, now.Format(time.TimeOnly),
			float64(c.calls)/now.Sub(last).Seconds(), c.errors(), round(c.quantile(.5)), round(c.quantile(.99)), f, v, after)
		last = now
	}
}

// round keeps three digits or so.
func round(d time.Duration) time.Duration {
	switch {
	case d < time.Millisecond:
		return d.Round(time.Microsecond)
	case d < 100*time.Millisecond:
		return d.Round(100 * time.Microsecond)
	default:
		return d.Round(time.Millisecond)
	}
}

func terminal(w io.Writer) bool {
	file, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := file.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
