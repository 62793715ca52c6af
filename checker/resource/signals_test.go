package resource_test

import (
	"maps"
	"math"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vitals-go/vitals/checker"
	"github.com/vitals-go/vitals/checker/resource"
)

func TestThrottlingIsTheShareSinceTheLastRun(t *testing.T) {
	for _, test := range []struct {
		tree, file, text string
		want             float64
	}{
		{"docker-v2", "sys/fs/cgroup/cpu.stat", "nr_periods 1200\nnr_throttled 150\n", 25},
		{"docker-v1", "sys/fs/cgroup/cpu,cpuacct/cpu.stat", "nr_periods 300\nnr_throttled 70\n", 50},
		{"nested-v2", "sys/fs/cgroup/kubepods.slice/pod1.slice/cpu.stat", "nr_periods 600\nnr_throttled 75\n", 75},
		{"docker-v2", "sys/fs/cgroup/cpu.stat", "nr_periods 1\nnr_throttled 1\n", 0}, // made anew
	} {
		t.Run(test.tree, func(t *testing.T) {
			files := tree(t, test.tree)
			checks := newChecks(t, config{Files: files})
			wantMeasurement(t, measure(t, checks, "cpu_throttling"), 0, "of the scheduling periods")
			files[test.file].Data = []byte(test.text)
			wantMeasurement(t, measure(t, checks, "cpu_throttling"), test.want, "of the scheduling periods")
			wantMeasurement(t, measure(t, checks, "cpu_throttling"), 0, "of the scheduling periods")
		})
	}
	for _, name := range []string{"hybrid", "unlimited-v2", "broken-v1", "broken-v2"} {
		if _, there := newChecks(t, config{Files: tree(t, name)})["cpu_throttling"]; there {
			t.Errorf("%s: throttling without a quota", name)
		}
	}
}

func TestPressureOfTheGroupElseTheHost(t *testing.T) {
	files := tree(t, "docker-v2")
	checks := newChecks(t, config{Files: files})
	wantMeasurement(t, measure(t, checks, "cpu_pressure"), 7.25, "of the last minute in the cgroup")
	wantMeasurement(t, measure(t, checks, "memory_pressure"), .75, "of the last minute in the cgroup")
	wantMeasurement(t, measure(t, checks, "io_pressure"), .25, "of the last minute in the cgroup")
	delete(files, "sys/fs/cgroup/cpu.pressure")
	wantMeasurement(t, measure(t, checks, "cpu_pressure"), 90, "of the last minute on the host")

	checks = newChecks(t, config{Files: tree(t, "hybrid")})
	wantMeasurement(t, measure(t, checks, "cpu_pressure"), 33.5, "of the last minute in the cgroup")
	for _, name := range []string{"memory_pressure", "io_pressure"} {
		if _, there := checks[name]; there {
			t.Errorf("%s without a file that tells it", name)
		}
	}
	if _, there := newChecks(t, config{Files: tree(t, "broken-v2")})["cpu_pressure"]; there {
		t.Error("a pressure that is not a number is believed")
	}
}

func TestProcessChecks(t *testing.T) {
	checks := newChecks(t, config{})
	before := measure(t, checks, "goroutines").Value
	stop := make(chan struct{})
	defer close(stop)
	for range 100 {
		go func() { <-stop }()
	}
	if after := measure(t, checks, "goroutines").Value; after < before+90 { // a few of the runtime's own may have ended
		t.Errorf("goroutines: %v, then %v with 100 more", before, after)
	}
	for deadline := time.Now().Add(time.Minute); ; {
		runtime.GC()
		if share := measure(t, checks, "gc_cpu").Value; share > 0 && share <= 100 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("collecting garbage costs nothing")
		}
	}
}

func TestOpenFiles(t *testing.T) {
	checks := newChecks(t, config{})
	if _, there := checks["open_files"]; !there {
		t.Skipf("open files are not known on %s", runtime.GOOS)
	}
	before := measure(t, checks, "open_files")
	for range 200 {
		f, err := os.Open(os.DevNull)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
	}
	after := measure(t, checks, "open_files")
	if after.Value <= before.Value || after.Value > 100 && after.Unit == "%" {
		t.Errorf("open files: %+v, then %+v with 200 more", before, after)
	}
}

// The default host on the real machine: plausible figures, and names that are a contract.
func TestThisMachine(t *testing.T) {
	list, err := resource.Checks(resource.Config{})
	if err != nil {
		t.Fatal(err)
	}
	checks := map[string]checker.Check{}
	for _, check := range list {
		checks[check.Name] = check
		if check.Kind != checker.Resource || check.Title == "" {
			t.Errorf("%s: kind %v, title %q", check.Name, check.Kind, check.Title)
		}
		m, err := check.Measure(t.Context())
		if err != nil {
			t.Errorf("%s: %v", check.Name, err)
			continue
		}
		if m.Value < 0 || m.Unit == "%" && m.Value > 100 {
			t.Errorf("%s measured %v%s", check.Name, m.Value, m.Unit)
		}
		t.Logf("%s at %.1f%s %s", check.Title, m.Value, m.Unit, m.Source)
	}
	for name, critical := range map[string]float64{"cpu_usage": 80, "memory_usage": 85, "disk_usage": 90} {
		check, there := checks[name]
		if !there && name == "cpu_usage" && runtime.GOOS == "darwin" {
			continue // known only with cgo
		}
		if !there || check.Critical != checker.Above(critical) || check.Warning != checker.Above(0.8*critical) {
			t.Errorf("%s is critical %v, want above %v", name, check.Critical, critical)
		}
	}
}

func TestConfigReportsAllMistakes(t *testing.T) {
	_, err := resource.Checks(resource.Config{
		CPU: checker.Above(101), Memory: checker.Above(math.NaN()), Disk: checker.Below(20),
		Limits:    map[string]checker.Limit{"cpu": checker.Above(1), "disk_usage": checker.Above(1), "disk_usage:/srv": {}},
		DiskPaths: []string{"/", "", "/"}, Interval: -1, Timeout: -1, CPUs: math.NaN(),
	})
	if err == nil {
		t.Fatal("no mistake found")
	}
	for _, text := range []string{
		"CPU: got above 101", "Memory: got above NaN", "Disk: got below 20", `Limits: unknown check "cpu"; have cpu_usage,`,
		`unknown check "disk_usage:/srv"`, `Disk and Limits["disk_usage"] exclude each other`,
		"DiskPaths[1]", "DiskPaths[2]", "Interval", "Timeout", "CPUs: got NaN",
	} {
		if !strings.Contains(err.Error(), text) {
			t.Errorf("%q is missing in:\n%v", text, err)
		}
	}
}

func TestConfigApplies(t *testing.T) {
	checks := newChecks(t, config{
		CPU: checker.Above(50), Memory: checker.Above(0),
		Limits: map[string]checker.Limit{
			"goroutines":     checker.Above(10_000),
			"cpu_throttling": checker.Above(25), // not offered without a quota, and no mistake
			"open_files":     {},
		},
		DiskPaths: []string{}, Interval: time.Minute, Timeout: time.Second,
	})
	want := map[string][2]checker.Limit{
		"cpu_usage":    {checker.Above(40), checker.Above(50)},
		"memory_usage": {checker.Above(0), checker.Above(0)},
		"goroutines":   {checker.Above(8_000), checker.Above(10_000)},
	}
	for name, limits := range want {
		got := checks[name]
		if got.Warning != limits[0] || got.Critical != limits[1] || got.Interval != time.Minute || got.Timeout != time.Second {
			t.Errorf("%s: %v, %v every %v within %v, want %v", name, got.Warning, got.Critical, got.Interval, got.Timeout, limits)
		}
	}
	if len(checks) != len(want) {
		t.Errorf("got %v", slices.Sorted(maps.Keys(checks)))
	}
}

func TestLimitsOfDisks(t *testing.T) {
	checks := newChecks(t, config{
		DiskPaths: []string{"/", "/data", "/tmp"},
		Limits:    map[string]checker.Limit{"disk_usage:/data": checker.Above(99), "disk_usage:/tmp": {}},
	})
	if got := checks["disk_usage:/"].Critical; got != checker.Above(90) {
		t.Errorf("/: %v", got)
	}
	if got := checks["disk_usage:/data"].Critical; got != checker.Above(99) {
		t.Errorf("/data: %v", got)
	}
	if _, there := checks["disk_usage:/tmp"]; there {
		t.Error("/tmp is measured")
	}
}

func TestChecksWithoutALimitAreLeftOut(t *testing.T) {
	list, err := config{Files: tree(t, "docker-v2")}.checks()
	if err != nil {
		t.Fatal(err)
	}
	for _, check := range list {
		if check.Critical.IsZero() {
			t.Errorf("%s has no limit", check.Name)
		}
	}
	if names := len(list); names < 3 || names > 4 { // open_files depends on the machine
		t.Errorf("%d checks", names)
	}
}
