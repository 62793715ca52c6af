package faults

import (
	"os"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/vitals-go/vitals/internal/e2e/testdeps"
)

// The story of a start and a drain, around that of the outage in docs/operations.md.
const (
	startLines = `INFO serving HTTP endpoints vitals.logger=plugin.health vitals.address…
INFO server is serving vitals.logger=plugin.health vitals.names="[server inventory.v1.Inventory]" vitals.previous_for…
`
	drainLines = `INFO phase is draining vitals.logger=plugin.health vitals.from=ready vitals.to=draining
INFO phase is stopped vitals.logger=plugin.health vitals.from=draining vitals.to=stopped
`
)

// TestLogTellsAnOutageInTwoLines compares the log of the example server, over start, an outage of its database, recovery and
// drain, with the sample in docs/operations.md.
func TestLogTellsAnOutageInTwoLines(t *testing.T) {
	t.Parallel()
	pg := testdeps.NewPostgres(t)
	p := startServer(t, "DATABASE_URL="+pg.URL("postgres"))
	p.becomes("", serving)
	pg.Stop()
	p.becomes("", notServing)
	pg.Start()
	p.becomes("", serving)
	p.Signal(syscall.SIGTERM)
	p.Wait(patience)
	page, err := os.ReadFile("../../../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	_, sample, _ := strings.Cut(string(page), "An outage is one line")
	_, sample, _ = strings.Cut(sample, "```text\n")
	sample, _, found := strings.Cut(sample, "```")
	if !found {
		t.Fatal("docs/operations.md has no sample of an outage")
	}
	got, want := normalize(p.Output()), startLines+normalize(sample)+drainLines
	if got != want {
		t.Errorf("the log is\n%swant\n%s", got, want)
	}
}

// normalize keeps the log lines in text, without times, durations, addresses and the driver's words.
func normalize(text string) string {
	var story strings.Builder
	variable := regexp.MustCompile(`(duration|previous_for|address)=\S+|error="[^"]*"|failures=[1-9]\d*`)
	for line := range strings.Lines(text) {
		if _, record, found := strings.Cut(line, " INFO "); found {
			story.WriteString("INFO " + variable.ReplaceAllString(record, "$1…"))
		} else if _, record, found := strings.Cut(line, " ERROR "); found {
			story.WriteString("ERROR " + variable.ReplaceAllString(record, "$1…"))
		} else if strings.Contains(line, " WARN ") {
			story.WriteString(line)
		}
	}
	return story.String()
}
