package resource

import (
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
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
		if u, ok := groupMemory(files, 1<<40); ok {
			checkPercent(t, "memory", u.percent())
		}
		groups := groupCPUs(files)
		for _, g := range groups {
			if !(g.cpus > 0) || math.IsInf(g.cpus, 0) || g.used < 0 {
				t.Fatalf("group %+v", g)
			}
		}
		if m, err := (cpuSample{groups: groups}).until(cpuSample{groups: groups, host: CPUTimes{Total: 1}}); err == nil {
			checkPercent(t, "CPU", m.Value)
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

func TestRelative(t *testing.T) {
	for _, test := range []struct {
		root, group, want string
		within            bool
	}{
		{"/", "/", "", true},
		{"/", "/a/b", "a/b", true},
		{"/a", "/a", "", true},
		{"/a", "/a/b", "b", true},
		{"/a", "/ab", "", false},
		{"/a/b", "/a", "", false},
	} {
		if got, within := relative(test.root, test.group); got != test.want || within != test.within {
			t.Errorf("relative(%q, %q) = %q, %v; want %q, %v", test.root, test.group, got, within, test.want, test.within)
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
