package resource

import (
	"context"
	"errors"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"
)

// FuzzTree gives arbitrary text to every parser, as whole trees and as single files.
func FuzzTree(f *testing.F) {
	recorded, err := filepath.Glob("testdata/*.txt")
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range recorded {
		text, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		member, mounts, rest := "", "", ""
		for part := range strings.SplitSeq(string(text), "== ") {
			name, content, _ := strings.Cut(part, "\n")
			switch name {
			case "proc/self/cgroup":
				member = content
			case "proc/self/mountinfo":
				mounts = content
			default:
				rest = content
			}
		}
		f.Add(member, mounts, rest)
	}
	f.Add("0::/", `1 1 0:1 /\0 /\777\ rw - cgroup2 c rw`, "some avg60=1e3")
	f.Fuzz(func(t *testing.T, member, mounts, text string) {
		files := echo{"proc/self/cgroup": member, "proc/self/mountinfo": mounts, "": text}
		m := machine{host: noHost{}, files: files, process: func() (time.Duration, int, error) { return time.Second, 2, nil }}
		for _, l := range m.memoryLevels(1 << 40) {
			checkPercent(t, "memory", l.percent())
		}
		levels, allowed := m.cpuLevels(t.Context(), processTime{known: true})
		for _, l := range levels {
			if !(l.cpus > 0) || math.IsInf(l.cpus, 0) || l.used < 0 || !(allowed > 0) || strings.Contains(l.source(2), "(0 CPUs") {
				t.Fatalf("level %+v of %v CPUs", l, allowed)
			}
		}
		for _, create := range []func() measure{m.cpuCheck, m.memoryCheck, m.pidsCheck, m.throttlingCheck} {
			check := create()
			if check == nil {
				continue
			}
			if reading, err := check(t.Context()); err == nil {
				checkPercent(t, reading.Source, reading.Value)
			}
		}
		for _, p := range readPeriods(files) {
			checkPercent(t, "throttling", (periods{}).share(p))
		}
		for _, line := range []string{"some", "full"} {
			if share, ok := parsePressure(text, line); ok {
				checkPercent(t, "pressure", share)
			}
		}
		if n, ok := parseCPUList(text); ok && n <= 0 {
			t.Fatalf("%d CPUs", n)
		}
	})
}

// noHost is a machine of which nothing is known.
type noHost struct{}

func (noHost) CPU(context.Context) (cpuTimes, error) { return cpuTimes{}, nil }
func (noHost) Memory(context.Context) (usage, error) { return usage{}, errors.ErrUnsupported }

func (noHost) Disk(context.Context, string) (diskState, error) {
	return diskState{}, errors.ErrUnsupported
}
func (noHost) Load(context.Context) (float64, error) { return 0, errors.ErrUnsupported }

func checkPercent(t *testing.T, what string, value float64) {
	t.Helper()
	if !(value >= 0 && value <= 100) {
		t.Fatalf("%s at %v%%", what, value)
	}
}

// echo is a tree in which every file exists: those that it names, and all others with the text of "".
type echo map[string]string

func (e echo) Open(name string) (fs.File, error) {
	if !fs.ValidPath(name) {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrInvalid}
	}
	text, ok := e[name]
	if !ok {
		text = e[""]
	}
	return fstest.MapFS{"file": {Data: []byte(text)}}.Open("file")
}

func TestHumanSize(t *testing.T) {
	for bytes, want := range map[uint64]string{
		0: "0 B", 1023: "1023 B", 1024: "1 KiB", 512 << 20: "512 MiB", 3 << 29: "1.5 GiB", 24 << 30: "24 GiB",
		1<<30 - 1: "1 GiB", 25_278_332_928: "23.5 GiB", math.MaxUint64: "16 EiB",
	} {
		if got := humanSize(bytes); got != want {
			t.Errorf("humanSize(%d) = %q, want %q", bytes, got, want)
		}
	}
}

func TestHumanCPUsAreNeverZero(t *testing.T) {
	for cpus, want := range map[float64]string{
		1: "1 CPU", 1.5: "1.5 CPUs", 0.5: "0.5 CPUs", 0.25: "0.25 CPUs", 0.01: "0.01 CPUs", 0.001: "0.001 CPUs", 0.0014: "0.0014 CPUs",
		0.999: "1 CPU", 1.02: "1 CPU", 12.34: "12.3 CPUs",
	} {
		if got := humanCPUs(cpus); got != want {
			t.Errorf("humanCPUs(%v) = %q, want %q", cpus, got, want)
		}
	}
}

// Go's own reader, internal/runtime/cgroup, decides these in the same way, apart from mounts of ancestors.
func TestPlacesOfGroupInMount(t *testing.T) {
	for _, test := range []struct{ root, group, want string }{
		{"/", "/", "m"},
		{"/", "/a/b", "m/a/b m/a m"},
		{"/a", "/a", "m"},
		{"/a", "/a/b", "m/b m"},
		{"/a", "/ab", ""},
		{"/a/b", "/a", ""},
		{"/", "/..", ""},                  // the process has left its namespace
		{"/", "/../other", ""},            // so that m/other is another group
		{"/..", "/../other", "m/other m"}, // mounted from above
		{"/../other", "/../other/a", "m/a m"},
		{"/../x", "/../other", ""},
		{"/../..", "/", "m"}, // an ancestor
		{"/../..", "/../other", "m"},
		{"/../../x", "/", ""}, // perhaps one, perhaps not
		{"/a/../b", "/b", ""},
	} {
		var dirs []string
		for _, p := range (mount{root: test.root, point: "/m"}).places(test.group) {
			dirs = append(dirs, p.dir)
		}
		if got := strings.Join(dirs, " "); got != test.want {
			t.Errorf("%s in a mount of %s: got %q, want %q", test.group, test.root, got, test.want)
		}
	}
}

func TestCPUList(t *testing.T) {
	for text, want := range map[string]int{"0": 1, "0-3": 4, "0-3,7\n": 5, "2,5": 2} {
		if got, ok := parseCPUList(text); !ok || got != want {
			t.Errorf("parseCPUList(%q) = %d, %v; want %d", text, got, ok, want)
		}
	}
	for _, text := range []string{"", "all", "3-1", "-1", "0-", "0-99999", "1,,2"} {
		if got, ok := parseCPUList(text); ok {
			t.Errorf("parseCPUList(%q) = %d, want nonsense", text, got)
		}
	}
}
