package response

import (
	"cmp"
	"sync"
	"sync/atomic"
	"time"

	"github.com/vitals-go/vitals/servicer"
)

// maxAge is how long a rendered report is served unchanged, so that its uptime and timestamp advance.
const maxAge = time.Second

// noReport stands for the report of a source that has none yet.
var noReport = new(servicer.Report)

// Latest returns the newest report of source, an empty one if there is none.
func Latest(source servicer.ReportSource) *servicer.Report { return cmp.Or(source.Report(), noReport) }

// Rendering is a report and the time for which it is rendered.
type Rendering struct {
	*servicer.Report

	At time.Time
}

// Uptime of the process at r.At.
func (r *Rendering) Uptime() time.Duration {
	if r.Started.IsZero() {
		return 0
	}
	return max(r.At.Sub(r.Started), 0)
}

// Cache holds what has been rendered from the newest report. T embeds a Rendering. The zero value is empty.
type Cache[T any] struct {
	// current is replaced by any reader that sees a newer report or an outdated rendering.
	current atomic.Pointer[cached[T]]
}

type cached[T any] struct {
	Rendering
	value *T
}

// Get returns the rendering of the newest report of source. A hit costs no allocation.
func (c *Cache[T]) Get(source servicer.ReportSource, render func(Rendering) *T) *T {
	report := Latest(source)
	old := c.current.Load()
	if old != nil && old.Report == report && time.Since(old.At) < maxAge {
		return old.value
	}
	r := Rendering{Report: report, At: time.Now()}
	made := &cached[T]{Rendering: r, value: render(r)}
	if old == nil || old.Revision <= report.Revision {
		if !c.current.CompareAndSwap(old, made) {
			if other := c.current.Load(); other.Report == report {
				return other.value // rendered by another reader meanwhile
			}
		}
	}
	return made.value
}

// Lazy is a value that is made when it is first needed. Concurrent readers wait for the one that makes it.
type Lazy[T any] struct {
	once  sync.Once
	value T
}

// Get returns the value.
func (l *Lazy[T]) Get(render func() T) T {
	l.once.Do(func() { l.value = render() })
	return l.value
}
