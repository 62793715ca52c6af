package result

import (
	"fmt"
	"slices"
	"strings"
)

const preface = `# What it costs, beside its peers

Every speed goal as a ratio, measured in one process and in turns; below 1 means cheaper where the goal is ≤, above 1 where it is
≥. Rows where a peer wins stay in: eapache's breaker and failsafe-go's permits by count read no clock, VictoriaMetrics/metrics writes its
page from stored text, and grpc-go's health server has less to list and to store for a name. The machine is a shared virtual one whose
second core is not always there: figures of one core move by a tenth from run to run, those of two cores by more.
The noise of a row is that of its chapter: every subject is measured twice, in even and odd rounds, and the largest deviation of
their ratio from 1 is noted. A chapter during which other programs used the processors is marked *busy*.
How costs grow, and what that means for many instances, is on [a page of its own](FLEET.md).

`

// Markdown writes the goals as a table, with all that is needed to repeat them. Chapters that were made
// differently have tables of their own.
func (r *Run) Markdown() string {
	var b strings.Builder
	b.WriteString(preface)
	if busy := r.Disturbed(); busy != "" {
		b.WriteString("**" + busy + "**\n\n")
	}
	var last *Made
	for _, c := range r.Chapters {
		if len(c.Goals) == 0 {
			continue
		}
		if last == nil || !last.same(c.Made) {
			if last != nil {
				b.WriteByte('\n')
			}
			c.Made.head(&b)
			last = &c.Made
		}
		for _, g := range c.Goals {
			fmt.Fprintf(&b, "| %s | %s | %s | %.3g | %s | %s | %s |\n", g.ID, strings.ReplaceAll(g.What, "|", "\\|"), g.Promise(), g.Measured, c.noise(g), g.Figures, c.verdict(g))
		}
	}
	return b.String()
}

func (m Made) head(b *strings.Builder) {
	fmt.Fprintf(b, "%s\n\nPeers: %s.\n\n", m, strings.Join(m.Peers, ", "))
	b.WriteString("| # | what | goal | measured | noise | figures | met |\n|---|---|---|---|---|---|---|\n")
}

func (m Made) same(other Made) bool {
	return m.String() == other.String() && slices.Equal(m.Peers, other.Peers)
}
