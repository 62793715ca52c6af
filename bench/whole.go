package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"github.com/vitals-go/vitals/bench/internal/child"
	"github.com/vitals-go/vitals/bench/internal/measure"
	"github.com/vitals-go/vitals/bench/internal/result"
)

// program is one of those in bench/stack.
type program struct{ path string }

// buildPrograms builds vitals and its peer. The caller removes folder.
func buildPrograms() (vitals, peer program, folder string) {
	folder, err := os.MkdirTemp("", "vitals-bench-")
	if err != nil {
		panic(err)
	}
	const source = "github.com/vitals-go/vitals/bench/stack/"
	build := func(name string) program {
		path := filepath.Join(folder, name)
		if out, err := exec.CommandContext(context.Background(), "go", "build", "-o", path, source+name).CombinedOutput(); err != nil {
			panic(fmt.Errorf("building %s: %w\n%s", name, err, out))
		}
		return program{path}
	}
	return build("vitals"), build("peer"), folder
}

// start returns the time from the start of the process until its health check returns SERVING, and what it prints after.
func (p program) start(args ...string) (took time.Duration, rest io.Reader, wait func() error) {
	cmd := exec.CommandContext(context.Background(), p.path, args...) //nolint:gosec // It was built here.
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		panic(err)
	}
	began := time.Now()
	if err := cmd.Start(); err != nil {
		panic(err)
	}
	lines := bufio.NewReader(stdout)
	line, err := lines.ReadString('\n')
	took = time.Since(began)
	if err != nil || line != child.Serving+"\n" {
		panic(fmt.Errorf("%s: got %q, %w", p.path, line, err))
	}
	return took, lines, cmd.Wait
}

// idle returns what the program costs while it idles for d.
func (p program) idle(d time.Duration, checks, methods int) (cost child.Cost) {
	_, rest, wait := p.start("-idle", d.String(), "-checks", strconv.Itoa(checks), "-methods", strconv.Itoa(methods))
	if err := json.NewDecoder(rest).Decode(&cost); err != nil {
		panic(err)
	}
	_ = wait()
	return cost
}

// measureWhole compares two programs: a server with everything that package vitals gives it, and one with what its user
// would pick instead. They idle at the same time, so that a busy machine disturbs both.
func measureWhole(p measure.Plan) (found findings) {
	vitals, peer, folder := buildPrograms()
	defer func() { _ = os.RemoveAll(folder) }()
	p.Dot()

	var ours, theirs measure.Sample
	for range max(7, p.Rounds) {
		for program, sample := range map[program]*measure.Sample{vitals: &ours, peer: &theirs} {
			took, _, wait := program.start()
			_ = wait()
			*sample = append(*sample, float64(took))
		}
	}
	p.Dot()

	minute := time.Minute
	if p.Short {
		minute /= 4
	}
	var few, many, other child.Cost
	var idling sync.WaitGroup
	idling.Go(func() { few = vitals.idle(minute, child.Checks, 10) })
	idling.Go(func() { many = vitals.idle(minute, child.Checks, 10_000) })
	idling.Go(func() { other = peer.idle(minute, child.Checks, 10) })
	idling.Wait()
	p.Dot()

	found.goals = []result.Goal{
		atMost(8, "P13", "processor time of an idle minute with 10 checks, against the peers' stack", float64(few.CPU), float64(other.CPU)),
		atMost(1.2, "P13", "processor time of an idle minute with 10,000 methods, against 10", float64(many.CPU), float64(few.CPU)),
		ratioOfBytes(1.1, "P16", "size of the program, against the peers' stack", vitals.size(), peer.size()),
		ratioOfBytes(1.15, "P16", "resident memory, against the peers' stack", few.RSS, other.RSS),
		atMost(1.2, "P16", "start to SERVING, against the peers' stack", p.Figure(ours), p.Figure(theirs)),
	}
	found.facts = map[string]float64{"idle_minute_ns": float64(few.CPU), "peers_idle_minute_ns": float64(other.CPU)}
	return found
}

func (p program) size() float64 {
	info, err := os.Stat(p.path)
	if err != nil {
		panic(err)
	}
	return float64(info.Size())
}

// ratioOfBytes is atMost for sizes.
func ratioOfBytes(limit float64, id, what string, ours, theirs float64) result.Goal {
	goal := atMost(limit, id, what, ours, theirs)
	goal.Exact = true
	goal.Figures = result.Bytes(ours) + " / " + result.Bytes(theirs)
	return goal
}
