package resource_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"testing/synctest"
	"time"

	"github.com/vitals-go/vitals/checker/resource"
)

// The host of trees that have none of their own: 4 CPUs, three of which are busy.
const (
	statBefore = "cpu  100000 0 0 300000 0 0 0 0 0 0\ncpu0 0\ncpu1 0\ncpu2 0\ncpu3 0\n"
	statAfter  = "cpu  118000 0 0 306000 0 0 0 0 0 0\ncpu0 0\ncpu1 0\ncpu2 0\ncpu3 0\n"
	meminfo    = "MemTotal: 25165824 kB\nMemFree: 1048576 kB\nMemAvailable: 18874368 kB\n"
)

// TestCorpus compares what the checks measure in each tree with the numbers worked out beside it.
func TestCorpus(t *testing.T) {
	names, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(names) < 25 {
		t.Fatalf("%d trees, %v", len(names), err)
	}
	for _, name := range names {
		name = strings.TrimSuffix(filepath.Base(name), ".txt")
		t.Run(name, func(t *testing.T) {
			files := tree(t, name)
			proc := t.TempDir()
			t.Setenv("HOST_PROC", proc)
			t.Setenv("HOST_SYS", proc) // of which nothing is there
			writeProc(t, proc, files, "stat", statBefore)
			writeProc(t, proc, files, "meminfo", meminfo)
			synctest.Test(t, func(t *testing.T) { checkTree(t, files, proc) })
		})
	}
}

func writeProc(t *testing.T, proc string, files fstest.MapFS, name, standard string) {
	t.Helper()
	content := []byte(standard)
	if file := files["proc/"+name]; file != nil {
		content = file.Data
	}
	if err := os.WriteFile(filepath.Join(proc, name), content, 0o600); err != nil {
		t.Fatal(err)
	}
}

func checkTree(t *testing.T, files fstest.MapFS, proc string) {
	t.Helper()
	cfg := config{Host: resource.ThisHost, Files: files, DiskPaths: []string{}}
	seconds, used, goProcs := 6.0, 0.0, 0
	scan(t, files, "process", func(key string, value float64) {
		switch key {
		case "seconds":
			seconds = value
		case "GOMAXPROCS":
			goProcs = int(value)
		}
	})
	scan(t, files, "config", func(key string, value float64) {
		switch key {
		case "CPUs":
			cfg.CPUs = value
		case "MemoryBytes":
			cfg.MemoryBytes = uint64(value)
		}
	})
	cfg.Process = func() (time.Duration, int, error) { return time.Duration(used * float64(time.Second)), goProcs, nil }
	checks := newChecks(t, cfg)
	for _, name := range []string{"open_files", "goroutines", "gc_cpu", "load"} { // not of the tree
		delete(checks, name)
	}
	time.Sleep(time.Minute)
	used = seconds
	for name, file := range files {
		if path, after := strings.CutPrefix(name, "after a minute/"); after {
			files[path].Data = file.Data
		}
	}
	writeProc(t, proc, files, "stat", statAfter)
	for line := range strings.Lines(string(files["want"].Data)) {
		var value float64
		parts := strings.SplitN(strings.TrimSuffix(line, "\n"), " ", 3)
		if _, err := fmt.Sscan(parts[1], &value); err != nil {
			t.Fatal(err)
		}
		wantMeasurement(t, measure(t, checks, parts[0]), value, parts[2])
		delete(checks, parts[0])
	}
	for name := range checks {
		t.Errorf("%s is there: %+v", name, measure(t, checks, name))
	}
}

// scan calls f with the lines of a section.
func scan(t *testing.T, files fstest.MapFS, section string, f func(key string, value float64)) {
	t.Helper()
	text, err := fs.ReadFile(files, section)
	if errors.Is(err, fs.ErrNotExist) {
		return
	}
	for line := range strings.Lines(string(text)) {
		var key string
		var value float64
		if _, err := fmt.Sscan(line, &key, &value); err != nil {
			t.Fatal(err)
		}
		f(key, value)
	}
}
