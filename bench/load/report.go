package main

import (
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"time"
)

// verdict reports failures that no load excuses: a health response that is wrong or missing, or a watch that ended. A
// probe that gives up after its second is such an answer too; an application call that fails is not expected either.
func verdict(results []result) error {
	var errs []error
	for _, r := range results {
		for _, o := range []struct {
			what string
			outcome
		}{{"Checks", r.checked}, {"probes", r.probed}, {"scrapes", r.scraped}, {"calls", r.called}} {
			if o.failed > 0 {
				errs = append(errs, fmt.Errorf("%s: %d %s failed, such as: %w", r.name, o.failed, o.what, o.first))
			}
		}
		if r.lost > 0 {
			errs = append(errs, fmt.Errorf("%s: %d watches had ended by themselves", r.name, r.lost))
		}
	}
	return errors.Join(errs...)
}

func markdown(l load, results []result) string {
	var b strings.Builder
	fmt.Fprintf(&b, "# Everything at once\n\n")
	fmt.Fprintf(&b, "`go run ./bench/load` on %s, %s, %s/%s, %d cores that server, watchers and callers share, a process each; grpc %s.\n",
		time.Now().UTC().Format(time.DateOnly), runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), version("google.golang.org/grpc"))
	fmt.Fprintf(&b, "%d watches, %d Checks/s, %d scrapes/min, up to %d calls/s; stages of %v. Latencies are the callers', their waiting for a core included.\n\n",
		l.watches, l.checks, l.scrapes, l.calls, l.stage)
	fmt.Fprintln(&b, "| stage | Checks/s | p50 | p99 | p99.9 | new-connection probes p99 | last watcher notified, worst of 4 | scrape p99 | calls/s | calls p99 | server's memory | goroutines |")
	fmt.Fprintln(&b, "|---|---|---|---|---|---|---|---|---|---|---|---|")
	var sent, failed int
	var lost int64
	for _, r := range results {
		fmt.Fprintf(&b, "| %s | %.0f | %s | %s | %s | %s | %s | %s | %s | %s | %d MiB | %d |\n", r.name,
			r.checked.done, short(r.checked.quantile(.5)), short(r.checked.quantile(.99)), short(r.checked.quantile(.999)),
			short(r.probed.quantile(.99)), short(slices.Max(r.notified)), short(r.scraped.quantile(.99)),
			rate(r.called), short(r.called.quantile(.99)), r.resident>>20, r.goroutines)
		lost = max(lost, r.lost)
		for _, o := range []outcome{r.checked, r.probed, r.scraped, r.called} {
			sent += len(o.took) + o.failed
			failed += o.failed
		}
	}
	fmt.Fprintf(&b, "\n%d requests in all, %d of them wrong or failed; %d watches ended by themselves.\n", sent, failed, lost)
	return b.String()
}

func rate(o outcome) string {
	switch {
	case len(o.took) == 0:
		return "–"
	case o.target == 0:
		return fmt.Sprintf("%.0f", o.done)
	}
	return fmt.Sprintf("%.0f of %.0f", o.done, o.target)
}

func short(d time.Duration) string {
	switch {
	case d == 0:
		return "–"
	case d < time.Millisecond:
		return fmt.Sprintf("%d µs", d.Microseconds())
	case d < 10*time.Millisecond:
		return fmt.Sprintf("%.1f ms", float64(d.Microseconds())/1000)
	}
	return fmt.Sprintf("%d ms", d.Milliseconds())
}

func version(module string) string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	for _, m := range info.Deps {
		if m.Path == module {
			return m.Version
		}
	}
	return "unknown"
}
