package main

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/vitals-go/vitals/internal/e2e/endpoints"
)

// signs are what a process that leaks has ever more of.
type signs struct {
	goroutines, files int
	memory            int64 // resident, in bytes
}

func (s signs) String() string {
	return fmt.Sprintf("%d goroutines, %d files, %d MB", s.goroutines, s.files, s.memory>>20)
}

// What a server in a calm world may have more of than when it was first calm: pools that have filled, a heap that has
// grown to its working size.
const (
	moreGoroutines = 20
	moreFiles      = 45
	moreMemory     = 48 << 20
)

// leak says what has grown beyond measure.
func (s signs) leak(now signs) error {
	if now.goroutines > s.goroutines+moreGoroutines || now.files > s.files+moreFiles || now.memory > max(2*s.memory, s.memory+moreMemory) {
		return fmt.Errorf("the server leaks: in a calm world it had %v, and now %v", s, now)
	}
	return nil
}

// signs measures the server: its goroutines by /metrics, the rest from outside.
func readSigns(ctx context.Context, d *endpoints.Endpoints, pid int) (s signs, err error) {
	ctx, cancel := context.WithTimeout(ctx, endpoints.Timeout)
	defer cancel()
	_, body, err := d.Get(ctx, "/metrics")
	if err != nil {
		return s, err
	}
	all, err := endpoints.ParseMetrics(body)
	if err != nil {
		return s, err
	}
	if s.goroutines, err = strconv.Atoi(all["go_goroutines"]); err != nil {
		return s, fmt.Errorf("go_goroutines: %w", err)
	}
	files, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid))
	if err != nil {
		return s, err
	}
	s.files = len(files)
	statm, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
	if err != nil {
		return s, err
	}
	fields := strings.Fields(string(statm)) // In pages: size, resident, shared …
	pages, err := strconv.ParseInt(fields[1], 10, 64)
	s.memory = pages * int64(os.Getpagesize())
	return s, err
}
