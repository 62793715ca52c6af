package resource_test

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/vitals-go/vitals/checker/resource"
)

// insideGroup holds what the test binary does when a test has started it in control groups.
const insideGroup = "VITALS_TEST_INSIDE_GROUP"

const (
	mebibyte    = 1 << 20
	memoryLimit = 96 * mebibyte
)

// TestInsideGroup is that part of other tests which runs in control groups.
func TestInsideGroup(t *testing.T) {
	work, arg, _ := strings.Cut(os.Getenv(insideGroup), " ")
	works := map[string]func(*testing.T, string){
		"print": printBoth, "list": listChecks, "read": readOwnFile, "allocate": allocate, "burn": burn, "threads": startThreads,
	}
	if works[work] == nil {
		t.Skip("started by other tests only")
	}
	works[work](t, arg)
}

func printBoth(t *testing.T, _ string) {
	printMeasurement(t, "cpu_usage")
	printMeasurement(t, "memory_usage")
}

func listChecks(t *testing.T, _ string) {
	checks, err := resource.Checks(resource.Config{DiskPaths: []string{}})
	if err != nil {
		t.Fatal(err)
	}
	for _, check := range checks {
		m, err := check.Measure(t.Context())
		if err != nil {
			t.Errorf("%s: %v", check.Name, err)
		}
		fmt.Println(check.Name, m.Value, m.Source)
	}
}

// readOwnFile writes a file, and reads it four times.
func readOwnFile(t *testing.T, name string) {
	if err := errors.Join(writeFile(name, 80), readAll(name), readAll(name), readAll(name), readAll(name)); err != nil {
		t.Fatal(err)
	}
	printMeasurement(t, "memory_usage")
}

// allocate allocates until the kernel kills.
func allocate(t *testing.T, _ string) {
	var kept [][]byte
	for {
		chunk := make([]byte, mebibyte)
		for i := 0; i < len(chunk); i += 4096 {
			chunk[i] = 1
		}
		kept = append(kept, chunk)
		printMeasurement(t, "memory_usage")
		runtime.KeepAlive(kept)
	}
}

// burn uses CPU time until the quota is used.
func burn(t *testing.T, _ string) {
	for range runtime.NumCPU() {
		go func() {
			for {
				runtime.KeepAlive(t)
			}
		}()
	}
	check := realCheck(t, "cpu_usage")
	for value := 0.0; value < 80; time.Sleep(time.Second) {
		m, err := check(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		value = m.Value
	}
	printMeasurement(t, "cpu_usage")
	os.Exit(0) // the goroutines do not end
}

// startThreads starts threads until the check is critical.
func startThreads(t *testing.T, _ string) {
	for value := 0.0; value <= 90; {
		m, err := realCheck(t, "pids")(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		value = m.Value
		go func() {
			runtime.LockOSThread()
			_ = syscall.Pause()
		}()
	}
	printMeasurement(t, "pids")
	os.Exit(0) // the goroutines do not end
}

func writeFile(name string, mebibytes int) error {
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	defer f.Close()
	chunk := make([]byte, mebibyte)
	for range mebibytes {
		if _, err := f.Write(chunk); err != nil {
			return err
		}
	}
	return f.Sync()
}

func readAll(name string) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = io.Copy(io.Discard, f)
	return err
}

func realCheck(t *testing.T, name string) resource.Measure {
	t.Helper()
	checks, err := resource.Checks(resource.Config{DiskPaths: []string{}})
	if err != nil {
		t.Fatal(err)
	}
	for _, check := range checks {
		if check.Name == name {
			return check.Measure
		}
	}
	t.Fatalf("there is no check %q", name)
	return nil
}

func printMeasurement(t *testing.T, name string) {
	t.Helper()
	m, err := realCheck(t, name)(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	fmt.Printf("%s %.1f %s\n", name, m.Value, m.Source)
}

func memoryGroup(t *testing.T) string {
	t.Helper()
	limit := fmt.Sprint(memoryLimit)
	return makeGroup(t, "memory", map[string]string{"memory.max": limit, "memory.swap.max": "0", "memory.limit_in_bytes": limit})
}

// runInside runs TestInsideGroup in the groups, by the command if there is one, and returns what it prints.
func runInside(t *testing.T, groups, command []string, work string) (string, error) {
	t.Helper()
	script := "exec \"$@\""
	for _, group := range groups {
		script = "echo $$ > " + filepath.Join(group, "cgroup.procs") + " && " + script
	}
	args := append([]string{"-c", script, "sh"}, command...)
	cmd := exec.CommandContext(t.Context(), "sh", append(args, os.Args[0], "-test.run=^TestInsideGroup$")...)
	cmd.Env = append(os.Environ(), insideGroup+"="+work, "GOGC=off")
	output, err := cmd.CombinedOutput()
	return string(output), err
}

// lastMeasurement returns the last line of a check in output.
func lastMeasurement(t *testing.T, output, check string) (value float64, source string) {
	t.Helper()
	found := false
	for line := range strings.Lines(output) {
		if rest, ok := strings.CutPrefix(line, check+" "); ok {
			number, text, _ := strings.Cut(strings.TrimSuffix(rest, "\n"), " ")
			if _, err := fmt.Sscan(number, &value); err != nil {
				t.Fatal(err)
			}
			source, found = text, true
		}
	}
	if !found {
		t.Fatalf("no %s in\n%s", check, output)
	}
	return value, source
}

// groupNumber returns the number in the first of the files that a group has.
func groupNumber(t *testing.T, group string, names ...string) (number int) {
	t.Helper()
	for _, name := range names {
		text, err := os.ReadFile(filepath.Join(group, name))
		if err != nil {
			continue
		}
		if _, err := fmt.Sscan(string(text), &number); err != nil {
			t.Fatal(err)
		}
		return number
	}
	t.Skipf("the kernel has none of %v", names)
	return 0
}

func makeGroup(t *testing.T, controller string, limits map[string]string) string {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("making a control group needs root; run the tests as root where /sys/fs/cgroup is writable")
	}
	dir := tryGroup(t, controller, limits)
	if dir == "" {
		t.Skipf("no control group with a limit of %s can be made below /sys/fs/cgroup here (read-only, or delegated elsewhere)", controller)
	}
	return dir
}

// tryGroup makes a group in the tree of version 1 or 2 and writes those limits that it has. It returns "" if it cannot.
func tryGroup(t *testing.T, controller string, limits map[string]string) string {
	t.Helper()
	for _, root := range []string{"/sys/fs/cgroup/" + controller, "/sys/fs/cgroup"} {
		if _, err := os.Stat(filepath.Join(root, "cgroup.procs")); err != nil {
			continue
		}
		dir := filepath.Join(root, fmt.Sprintf("vitals-test-%d", os.Getpid()))
		if err := os.Mkdir(dir, 0o755); err != nil && !os.IsExist(err) {
			continue
		}
		t.Cleanup(func() { removeGroup(t, dir) })
		written := len(limits) == 0
		for name, value := range limits {
			file := filepath.Join(dir, name)
			if _, err := os.Stat(file); err == nil && os.WriteFile(file, []byte(value), 0) == nil {
				written = true
			}
		}
		if written {
			return dir
		}
	}
	return ""
}

// removeGroup waits until the kernel has let go of the processes that have ended.
func removeGroup(t *testing.T, dir string) {
	t.Helper()
	for range 100 {
		if err := os.Remove(dir); err == nil || errors.Is(err, os.ErrNotExist) {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Errorf("%s is still in use", dir)
}
