package resource

import (
	"context"
	"fmt"
	"io/fs"
	"path"
	"sync"

	"github.com/vitals-go/vitals/checker"
)

// throttling measures the share of the scheduling periods in which a control group exhausted its CPU quota. It can be high
// while the average CPU usage is low.
type throttling struct {
	files fs.FS

	mu   sync.Mutex
	base []periods
}

// periods are the counters of one limited level since the group was created.
type periods struct {
	dir              string
	total, throttled uint64
}

// throttlingCheck returns nil where no quota is in force.
func (m machine) throttlingCheck() measure {
	t := &throttling{files: m.files, base: readPeriods(m.files)}
	if len(t.base) == 0 {
		return nil
	}
	return t.measure
}

func readPeriods(files fs.FS) []periods {
	h, ok := findHierarchy(files, "cpu")
	if !ok {
		return nil
	}
	var all []periods
	for _, dir := range h.dirs {
		if _, limited := levelQuota(files, dir, h.unified); !limited {
			continue
		}
		stat := readText(files, path.Join(dir, "cpu.stat"))
		total, ok := parseField(stat, "nr_periods")
		throttled, ok2 := parseField(stat, "nr_throttled")
		if ok && ok2 {
			all = append(all, periods{dir, total, throttled})
		}
	}
	return all
}

// measure returns the share since the last run, at the level that was throttled most.
func (t *throttling) measure(context.Context) (checker.Measurement, error) {
	now := readPeriods(t.files)
	if len(now) == 0 {
		return checker.Measurement{}, fmt.Errorf("the control group has no CPU quota: %w", checker.ErrInconclusive)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	worst := 0.0
	for _, level := range now {
		for _, before := range t.base {
			if before.dir == level.dir {
				worst = max(worst, before.share(level))
			}
		}
	}
	t.base = now
	return checker.Measurement{Value: worst, Unit: "%", Source: "of the scheduling periods"}, nil
}

// share is 0 for a group that did not run, and for counters that decreased because the group was recreated.
func (p periods) share(now periods) float64 {
	if now.total <= p.total || now.throttled < p.throttled {
		return 0
	}
	return clamp(100 * float64(now.throttled-p.throttled) / float64(now.total-p.total))
}
