package resource_test

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/vitals-go/vitals/checker/resource"
)

// insideGroup tells the test binary, started by itself in a new control group, to measure and print.
const insideGroup = "VITALS_TEST_INSIDE_GROUP"

func TestInRealControlGroup(t *testing.T) {
	if os.Getenv(insideGroup) != "" {
		measureInside(t)
		return
	}
	memory := makeGroup(t, "memory", map[string]string{"memory.max": "268435456", "memory.limit_in_bytes": "268435456"})
	joins := []string{memory}
	if cpu := tryGroup(t, "cpu", map[string]string{"cpu.max": "50000 100000", "cpu.cfs_quota_us": "50000"}); cpu != "" {
		if cpu != memory {
			joins = append(joins, cpu)
		}
		if acct := tryGroup(t, "cpuacct", nil); acct != "" && acct != cpu {
			joins = append(joins, acct)
		}
	}
	output := runInside(t, joins)
	if !strings.Contains(output, "memory_usage of the cgroup limit (256 MiB)") {
		t.Errorf("the memory limit of a real group is not seen:\n%s", output)
	}
	if len(joins) > 1 && !strings.Contains(output, "cpu_usage of the cgroup limit (0.5 CPUs)") {
		t.Errorf("the CPU quota of a real group is not seen:\n%s", output)
	}
}

func measureInside(t *testing.T) {
	fmt.Println("ready") // the parent moves us into the group, then says so
	if _, err := bufio.NewReader(os.Stdin).ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	checks, err := resource.Checks(resource.Config{})
	if err != nil {
		t.Fatal(err)
	}
	for _, check := range checks {
		m, err := check.Measure(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		fmt.Println(check.Name, m.Source)
	}
}

// runInside runs this test again in the groups and returns what it prints.
func runInside(t *testing.T, groups []string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestInRealControlGroup$", "-test.v")
	cmd.Env = append(os.Environ(), insideGroup+"=1")
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	var output strings.Builder
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(stdout)
	for lines.Scan() {
		output.WriteString(lines.Text() + "\n")
		if lines.Text() != "ready" {
			continue
		}
		for _, group := range groups {
			pid := strconv.Itoa(cmd.Process.Pid)
			if err := os.WriteFile(filepath.Join(group, "cgroup.procs"), []byte(pid), 0); err != nil {
				t.Error(err)
			}
		}
		fmt.Fprintln(stdin, "go")
	}
	if err := cmd.Wait(); err != nil {
		t.Fatalf("inside the group: %v\n%s", err, output.String())
	}
	return output.String()
}

func makeGroup(t *testing.T, controller string, limits map[string]string) string {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("making a control group needs root; run the tests as root where /sys/fs/cgroup is writable")
	}
	dir := tryGroup(t, controller, limits)
	if dir == "" {
		t.Skipf("no control group with a %s limit can be made below /sys/fs/cgroup here (read-only, or delegated elsewhere)", controller)
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
		t.Cleanup(func() { _ = os.Remove(dir) })
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
