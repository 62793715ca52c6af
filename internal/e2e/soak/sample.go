package main

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/vitals-go/vitals/internal/e2e/rig"
)

// The quantities that a server may leak.
const (
	goroutines = iota
	descriptors
	heap
	memory
	quantities
)

var quantityNames = [quantities]string{"goroutines", "descriptors", "heap in use (MiB)", "resident memory (MiB)"}

// sample is what the server holds at one moment.
type sample struct {
	at   time.Duration // since the load began
	held [quantities]float64
}

// look takes a sample. The scrape that tells goroutines and heap is a part of the load.
func (t *target) look(ctx context.Context, at time.Duration) (sample, error) {
	s := sample{at: at}
	code, page, err := t.Get(ctx, "/metrics")
	if err != nil || code != 200 {
		return s, fmt.Errorf("GET /metrics = %d, %w", code, err)
	}
	const mebi = 1 << 20
	s.held[goroutines] = value(page, "go_goroutines")
	s.held[heap] = value(page, "go_memstats_heap_inuse_bytes") / mebi
	proc := "/proc/" + strconv.Itoa(t.process.PID())
	open, err := os.ReadDir(proc + "/fd")
	if err != nil {
		return s, err
	}
	s.held[descriptors] = float64(len(open))
	status, err := os.ReadFile(proc + "/statm")
	if err != nil {
		return s, err
	}
	if fields := strings.Fields(string(status)); len(fields) > 1 {
		pages, _ := strconv.ParseFloat(fields[1], 64)
		s.held[memory] = pages * float64(os.Getpagesize()) / mebi
	}
	return s, nil
}

// value finds a series without labels on a page for Prometheus; 0 if there is none.
func value(page, name string) float64 {
	lines := bufio.NewScanner(strings.NewReader(page))
	for lines.Scan() {
		if text, found := strings.CutPrefix(lines.Text(), name+" "); found {
			number, _ := strconv.ParseFloat(text, 64)
			return number
		}
	}
	return 0
}

// rest waits until the server holds no more than a moment ago, and returns what it holds then.
func (t *target) rest(ctx context.Context) (last sample, err error) {
	quiet := 0
	err = rig.Eventually(ctx, time.Minute, func() error {
		time.Sleep(200 * time.Millisecond)
		now, err := t.look(ctx, 0)
		if err != nil {
			return err
		}
		if now.held[goroutines] > last.held[goroutines] || now.held[descriptors] > last.held[descriptors] {
			quiet = 0
		}
		last = now
		if quiet++; quiet < 5 {
			return fmt.Errorf("the server holds %.0f goroutines", now.held[goroutines])
		}
		return nil
	})
	return last, err
}

// calmTime is how long a server may hold what the last clients have left: silent connections end after 10 s at most,
// and idle ones of the HTTP door after a minute or two.
const calmTime = 3 * time.Minute

// calm waits until the server holds what it held before the load, or for calmTime. What it holds then is the answer.
func (t *target) calm(ctx context.Context, before sample) (after sample, err error) {
	waiting, gone := context.WithCancel(ctx)
	defer gone()
	go func() {
		select {
		case <-t.process.Exited(): // Waiting is of no use.
			gone()
		case <-waiting.Done():
		}
	}()
	looked := false
	late := rig.Eventually(waiting, calmTime, func() error {
		time.Sleep(100 * time.Millisecond)
		now, err := t.look(waiting, 0)
		if err != nil {
			return err
		}
		after, looked = now, true
		for _, q := range []int{goroutines, descriptors} {
			if after.held[q] > before.held[q]+slack[q] {
				return fmt.Errorf("%s: %.0f, %.0f before the load", quantityNames[q], after.held[q], before.held[q])
			}
		}
		return nil
	})
	if waiting.Err() != nil || !looked {
		return after, fmt.Errorf("the server does not answer after the load: %w\n%s", late, t.process.Output())
	}
	return after, nil // What is held too long is for judge to say.
}
