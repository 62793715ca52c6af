package main

import (
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"strings"
	"time"
)

// goal is one line of the table: a ratio that was measured, against the ratio that was promised.
type goal struct {
	id       string
	what     string
	measured float64
	limit    float64
	atLeast  bool   // the measured ratio must reach the limit instead of staying below it
	figures  string // the absolute figures behind the ratio
}

func (g goal) met() bool { return g.within(1) }

func (g goal) within(margin float64) bool {
	if g.atLeast {
		return g.measured*margin >= g.limit
	}
	return g.measured <= g.limit*margin
}

func (g goal) relation() string {
	if g.atLeast {
		return "≥"
	}
	return "≤"
}

// markdown renders the goals with all that is needed to judge and to repeat them.
func markdown(goals []goal, p plan) string {
	var b strings.Builder
	fmt.Fprintf(&b, "Measured %s with `go run ./bench%s` on %s, %d cores, %s.\n\n", time.Now().UTC().Format(time.DateOnly),
		map[bool]string{true: " -short"}[p.name == "short"], processor(), runtime.NumCPU(), runtime.Version())
	fmt.Fprintf(&b, "Peers: %s.\n\n", strings.Join(peers(), ", "))
	b.WriteString("| # | what | goal | measured | figures | met |\n|---|---|---|---|---|---|\n")
	for _, g := range goals {
		promise, verdict := fmt.Sprintf("%s %.4g", g.relation(), g.limit), "yes"
		switch {
		case g.limit == 0 && g.atLeast:
			promise, verdict = "–", "" // compared, but nothing was promised
		case !g.met():
			verdict = "**no**"
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %.3g | %s | %s |\n", g.id, g.what, promise, g.measured, g.figures, verdict)
	}
	return b.String()
}

// processor names the CPU as the kernel does.
func processor() string {
	info, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return runtime.GOARCH
	}
	for line := range strings.Lines(string(info)) {
		if name, found := strings.CutPrefix(line, "model name"); found {
			return strings.Trim(name, " \t:\n")
		}
	}
	return runtime.GOARCH
}

// peers lists the compared modules at the versions that were linked.
func peers() []string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return nil
	}
	var list []string
	for _, dep := range info.Deps {
		for _, peer := range []string{
			"google.golang.org/grpc", "github.com/grpc-ecosystem/go-grpc-middleware/providers/prometheus",
			"go.opentelemetry.io/contrib/instrumentation/google.golang.org/grpc/otelgrpc", "github.com/prometheus/client_golang",
			"github.com/sony/gobreaker/v2", "github.com/alexliesenfeld/health", "github.com/hellofresh/health-go/v5",
		} {
			if dep.Path == peer {
				list = append(list, dep.Path[strings.LastIndex(dep.Path, "/")+1:]+" "+dep.Version)
			}
		}
	}
	return list
}
