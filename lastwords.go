package vitals

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	healthpb "google.golang.org/grpc/health/grpc_health_v1"

	"github.com/vitals-go/vitals/checker"
	"github.com/vitals-go/vitals/internal/safefile"
	"github.com/vitals-go/vitals/internal/wallclock"
	"github.com/vitals-go/vitals/servicer"
)

// maxLastWords is as much of a termination message as a kubelet keeps.
const maxLastWords = 4096

// lastWords writes to Config.TerminationLog why the process is about to end. Only texts of the report are written, which are
// public.
type lastWords struct {
	mu     sync.Mutex
	failed bool // to write, which has been logged
}

// followLiveness writes while liveness does not serve, because the process may be killed at any time then, and again with each
// transition. When liveness serves again, it empties the file.
func (h *Health) followLiveness(ctx context.Context) error {
	var seq uint64
	failing := false
	for report := range h.server.Changes(ctx) {
		live, known := report.Lookup(checker.Liveness)
		before := failing
		failing = known && live.Status != healthpb.HealthCheckResponse_SERVING
		if newest := newestTransition(report); failing && (!before || newest != seq) {
			seq = newest
			h.writeLastWords("", report)
		} else if before && !failing {
			h.clearLastWords()
		}
	}
	return nil
}

func newestTransition(report *servicer.Report) uint64 {
	if len(report.Transitions) == 0 {
		return 0
	}
	return report.Transitions[0].Seq
}

// endWithError writes that Serve or Run ends with an error, which may hold secrets and is only named.
func (h *Health) endWithError(err error) {
	if err != nil && !errors.Is(err, errUsed) {
		h.writeLastWords("the server ended with an error, which its caller has\n", h.server.Report())
	}
}

func (h *Health) writeLastWords(first string, report *servicer.Report) {
	h.overwriteLastWords(append([]byte(first), describe(report, time.Now(), maxLastWords-len(first))...))
}

func (h *Health) clearLastWords() { h.overwriteLastWords(nil) }

// overwriteLastWords logs a failure once.
func (h *Health) overwriteLastWords(body []byte) {
	if h.cfg.TerminationLog == "" {
		return
	}
	w := &h.lastWords
	w.mu.Lock()
	defer w.mu.Unlock()
	err := safefile.Overwrite(h.cfg.TerminationLog, body)
	if err != nil && !w.failed {
		h.log.Log(slog.LevelError, "termination log cannot be written",
			slog.String("path", h.cfg.TerminationLog), slog.String("error", err.Error()))
	}
	w.failed = err != nil
}

// describe returns what does not serve, what is wrong and the last transitions, a line each, in at most limit bytes.
func describe(r *servicer.Report, now time.Time, limit int) []byte {
	var lines []string
	for _, name := range []string{checker.Liveness, checker.Readiness} {
		if n, known := r.Lookup(name); known && n.Status != healthpb.HealthCheckResponse_SERVING {
			lines = append(lines, name+" is not serving: "+textOf(n.Causes))
		}
	}
	lines = append(lines, fmt.Sprintf("overall %v, phase %v, version %s, up %v", r.Overall, r.Phase, r.Version, now.Sub(r.Started).Truncate(time.Second)))
	for i := range r.Metrics {
		if m := &r.Metrics[i]; m.Status != checker.Healthy {
			lines = append(lines, fmt.Sprintf("%s is %v (%v): %s", m.Name, m.Status, m.Reason, m.Message))
		}
	}
	for i := range r.Transitions {
		t := &r.Transitions[i]
		lines = append(lines, fmt.Sprintf("%s %s: %s to %s, %s", wallclock.On(now, t.At).UTC().Format(time.RFC3339), t.Subject, t.From, t.To, t.Text))
	}
	var body []byte
	for _, line := range lines {
		line = strings.Map(oneLine, strings.ToValidUTF8(line, "?")) + "\n"
		if rest := limit - len(body); len(line) > rest {
			for rest > 0 && !utf8.RuneStart(line[rest]) {
				rest--
			}
			return append(body, line[:rest]...)
		}
		body = append(body, line...)
	}
	return body
}

// oneLine replaces what would break a line.
func oneLine(r rune) rune {
	if r < ' ' || slices.Contains([]rune{0x7f, '\u2028', '\u2029'}, r) {
		return ' '
	}
	return r
}

func textOf(causes []servicer.Cause) string {
	texts := make([]string, len(causes))
	for i, c := range causes {
		texts[i] = strings.TrimPrefix(c.Check+": "+c.Text, ": ")
	}
	return strings.Join(texts, "; ")
}
