package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/vitals-go/vitals"
	kvv1 "github.com/vitals-go/vitals/examples/plugin/kv/v1"
	"github.com/vitals-go/vitals/examples/plugin/supervisor"
)

const usage = `put KEY VALUE, get KEY, del KEY   use the store
ping, report, health              ask the plugin, and what the host makes of it
quit                              end

Try: put chaos/break x (or wedge, panic, exit), then report and ping.`

// patience is how long a command may take.
const patience = 2 * time.Second

// shell runs commands, one per line.
type shell struct {
	plugins *supervisor.Supervisor
	health  *vitals.Health
	out     io.Writer
}

// read reports whether the command quit was read; otherwise the input has ended.
func (s *shell) read(ctx context.Context, in io.Reader) bool {
	lines := bufio.NewScanner(in)
	for lines.Scan() {
		words := strings.Fields(lines.Text())
		if len(words) == 0 {
			continue
		}
		if words[0] == "quit" {
			return true
		}
		answer, err := s.do(ctx, words)
		if err != nil {
			answer = "error: " + err.Error()
		}
		fmt.Fprintln(s.out, answer)
	}
	return false
}

func (s *shell) do(ctx context.Context, words []string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	switch command, rest := words[0], words[1:]; {
	case command == "put" && len(rest) == 2, command == "get" && len(rest) == 1, command == "del" && len(rest) == 1:
		store, err := s.plugins.Store()
		if err != nil {
			return "", err
		}
		return use(ctx, store, command, rest)
	case command == "ping" || command == "report":
		p := s.plugins.Plugin()
		if p == nil {
			return "", supervisor.ErrDown
		}
		return ask(ctx, p, command)
	case command == "health":
		return fmt.Sprintf("%v, %d restarts", s.health.Report().Overall, s.plugins.Restarts()), nil
	default:
		return usage, nil
	}
}

func use(ctx context.Context, store kvv1.StoreClient, command string, words []string) (string, error) {
	switch command {
	case "put":
		_, err := store.Put(ctx, &kvv1.PutRequest{Key: words[0], Value: words[1]})
		return "ok", err
	case "del":
		_, err := store.Delete(ctx, &kvv1.DeleteRequest{Key: words[0]})
		return "ok", err
	default:
		response, err := store.Get(ctx, &kvv1.GetRequest{Key: words[0]})
		return response.GetValue(), err
	}
}

func ask(ctx context.Context, p *supervisor.Plugin, command string) (string, error) {
	if command == "ping" {
		asked := time.Now()
		err := p.Ping(ctx)
		return fmt.Sprintf("process %s answered in %v", p.PID(), time.Since(asked).Round(time.Microsecond)), err
	}
	report, err := p.Report(ctx, patience)
	if err != nil {
		return "", err
	}
	var text strings.Builder
	text.WriteString("overall " + report.GetOverallStatus())
	for _, name := range slices.Sorted(maps.Keys(report.GetMetrics())) {
		metric := report.GetMetrics()[name]
		fmt.Fprintf(&text, "\n  %-24s %-9s %s", name, metric.GetStatus(), metric.GetMessage())
	}
	return text.String(), nil
}
