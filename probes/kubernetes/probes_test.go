package kubernetes_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/vitals-go/vitals/checker"
	"github.com/vitals-go/vitals/probes/kubernetes"
)

const second = time.Second

func TestDefaultsDoNotConflict(t *testing.T) {
	slow := []checker.Check{{Name: "slow", InitialDelay: 2 * time.Minute, Timeout: 30 * second}}
	command := []string{"/server", "healthcheck"}
	for name, cfg := range map[string]kubernetes.Config{
		"gRPC":             {GRPCPort: 9090},
		"HTTP":             {HTTPPort: 8080},
		"command":          {Command: command, Address: "localhost:50051"},
		"gRPC name":        {Command: command, Address: "ipv4:127.0.0.1:50051"},
		"file":             {Command: command, Address: "/tmp/health", FileInterval: 10 * second},
		"slow check":       {GRPCPort: 9090, Checks: slow},
		"short drain":      {GRPCPort: 9090, DrainDelay: second},
		"long drain":       {Command: command, Address: "localhost:50051", DrainDelay: time.Minute, ShutdownTimeout: time.Hour},
		"fractions":        {GRPCPort: 9090, DrainDelay: 2500 * time.Millisecond, ShutdownTimeout: 1100 * time.Millisecond},
		"preStop instead":  {GRPCPort: 9090, DrainDelay: -1, GracePeriod: 30 * second},
		"no shutdown":      {GRPCPort: 9090, ShutdownTimeout: -1},
		"long timeout":     {GRPCPort: 9090, DrainDelay: 9 * second, Readiness: kubernetes.Timing{Timeout: 4 * second}},
		"only a threshold": {GRPCPort: 9090, Readiness: kubernetes.Timing{FailureThreshold: 5}},
		"only a period":    {GRPCPort: 9090, Readiness: kubernetes.Timing{Period: 5 * second}},
	} {
		t.Run(name, func(t *testing.T) {
			for _, p := range probesOf(t, must(t, cfg)) {
				if p.PeriodSeconds < 1 || p.TimeoutSeconds < 1 || p.FailureThreshold < 1 {
					t.Errorf("%+v is invalid in the API", p)
				}
			}
		})
	}
}

func TestDefaultsFollowTheProgram(t *testing.T) {
	pod := must(t, kubernetes.Config{
		HTTPPort: 8080, DrainDelay: 10 * second, ShutdownTimeout: 25500 * time.Millisecond,
		Checks: []checker.Check{{Name: "database", InitialDelay: 20 * second, Timeout: 40 * second}},
	})
	if got := pod.GracePeriod(); got != 41*second {
		t.Errorf("grace period: got %v, want 10 s + 25.5 s + 5 s, rounded up", got)
	}
	p := probesOf(t, pod)
	if startup := p[0]; startup.PeriodSeconds*(startup.FailureThreshold-1) != 120 {
		t.Errorf("startup: got %d × %d s, want twice the minute that the check may take", startup.FailureThreshold-1, startup.PeriodSeconds)
	}
	if readiness := p[2]; readiness.PeriodSeconds != 5 || readiness.FailureThreshold != 2 {
		t.Errorf("readiness: got %+v, want 2 × 5 s within a drain delay of 10 s", readiness)
	}
}

func TestActionOfEachEndpoint(t *testing.T) {
	command := func(address string, flags ...string) kubernetes.Config {
		return kubernetes.Config{Command: append([]string{"/server", "healthcheck"}, flags...), Address: address}
	}
	file := command("/tmp/health")
	file.FileInterval = second
	for name, test := range map[string]struct {
		cfg  kubernetes.Config
		want [3]string // startup, liveness, readiness
	}{
		"gRPC": {kubernetes.Config{GRPCPort: 9090}, [3]string{
			`{"port":9090,"service":"startup"}`, `{"port":9090,"service":"liveness"}`, `{"port":9090,"service":"readiness"}`,
		}},
		"gRPC with TLS": {kubernetes.Config{GRPCPort: 9090, GRPCTLS: true, GRPCContainerProbeTLS: true}, [3]string{
			`{"port":9090,"service":"startup","mode":"TLS"}`, `{"port":9090,"service":"liveness","mode":"TLS"}`,
			`{"port":9090,"service":"readiness","mode":"TLS"}`,
		}},
		"HTTPS": {kubernetes.Config{HTTPPort: 8443, HTTPS: true}, [3]string{
			`{"path":"/startup","port":8443,"scheme":"HTTPS"}`, `{"path":"/live","port":8443,"scheme":"HTTPS"}`,
			`{"path":"/ready","port":8443,"scheme":"HTTPS"}`,
		}},
		"command over gRPC": {command("unix:///run/s", "-tls"), [3]string{
			`{"command":["/server","healthcheck","-tls","-addr","unix:///run/s","-service","startup"]}`,
			`{"command":["/server","healthcheck","-tls","-addr","unix:///run/s","-service","liveness"]}`,
			`{"command":["/server","healthcheck","-tls","-addr","unix:///run/s","-service","readiness"]}`,
		}},
		"command over HTTP": {command("http://localhost:8080"), [3]string{
			`{"command":["/server","healthcheck","-http","http://localhost:8080/startup"]}`,
			`{"command":["/server","healthcheck","-http","http://localhost:8080/live"]}`,
			`{"command":["/server","healthcheck","-http","http://localhost:8080/ready"]}`,
		}},
		// A dependency that is down must not restart the container: startup reads only live.
		"file": {file, [3]string{
			`{"command":["/server","healthcheck","-file","/tmp/health","-for","live"]}`,
			`{"command":["/server","healthcheck","-file","/tmp/health","-for","live"]}`,
			`{"command":["/server","healthcheck","-file","/tmp/health","-for","ready"]}`,
		}},
	} {
		t.Run(name, func(t *testing.T) {
			for i, p := range probesOf(t, must(t, test.cfg)) {
				var got bytes.Buffer
				for _, action := range []json.RawMessage{p.GRPC, p.HTTPGet, p.Exec} {
					if action == nil {
						continue
					}
					if err := json.Compact(&got, action); err != nil {
						t.Fatal(err)
					}
				}
				if got.String() != test.want[i] {
					t.Errorf("probe %d: got %s, want %s", i, &got, test.want[i])
				}
			}
		})
	}
}

func TestProbesDoesNotShareTheCommand(t *testing.T) {
	command := append(make([]string, 0, 10), "/server", "healthcheck")
	pod := must(t, kubernetes.Config{Command: command, Address: "localhost:1"})
	command[0] = "/other"
	for i, p := range probesOf(t, pod) {
		words := commandOf(t, p)
		if want := []string{"startup", "liveness", "readiness"}[i]; words[0] != "/server" || words[len(words)-1] != want {
			t.Errorf("probe %d runs %q", i, words)
		}
	}
}

func TestPatchNamesTheContainer(t *testing.T) {
	var patch struct {
		Spec struct {
			Template struct {
				Spec struct {
					TerminationGracePeriodSeconds int
					Containers                    []map[string]any
				}
			}
		}
	}
	if err := json.Unmarshal(must(t, kubernetes.Config{GRPCPort: 9090}).Patch("orders"), &patch); err != nil {
		t.Fatal(err)
	}
	spec := patch.Spec.Template.Spec
	if c := spec.Containers; spec.TerminationGracePeriodSeconds != 30 || len(c) != 1 || c[0]["name"] != "orders" || len(c[0]) != 4 {
		t.Errorf("got %+v", spec)
	}
}

// Each setting that is rejected has a neighbor that is accepted.
func TestLimitOfEachRule(t *testing.T) {
	type edit func(*kubernetes.Config)
	exec := func(address string, flags ...string) edit {
		return func(c *kubernetes.Config) {
			c.GRPCPort, c.Command, c.Address = 0, append([]string{"/server", "healthcheck"}, flags...), address
		}
	}
	file := func(path string, interval time.Duration) edit {
		return func(c *kubernetes.Config) {
			exec(path)(c)
			c.FileInterval = interval
		}
	}
	for name, test := range map[string]struct {
		good, bad edit
		want      string
	}{
		"grace period": {
			func(c *kubernetes.Config) { c.GracePeriod = 26 * second },
			func(c *kubernetes.Config) { c.GracePeriod = 25 * second },
			"GracePeriod: got 25s",
		},
		"readiness against the drain": {
			func(c *kubernetes.Config) { c.Readiness = kubernetes.Timing{Period: 5 * second, FailureThreshold: 1} },
			func(c *kubernetes.Config) { c.Readiness = kubernetes.Timing{Period: 3 * second, FailureThreshold: 2} },
			"endpoints may still route to the pod when GracefulStop begins",
		},
		"no drain delay": {
			func(c *kubernetes.Config) { c.DrainDelay, c.GracePeriod = -1, 30*second },
			func(c *kubernetes.Config) { c.DrainDelay = -1 },
			"DrainDelay: got none, so GracePeriod is required",
		},
		"timeout against period": {
			func(c *kubernetes.Config) { c.Liveness.Timeout, c.Liveness.Period = 5*second, 5*second },
			func(c *kubernetes.Config) { c.Liveness.Timeout, c.Liveness.Period = 6*second, 5*second },
			"Liveness.Timeout: got 6s, want at most the Period of 5s",
		},
		"first results": {
			func(c *kubernetes.Config) {
				c.Checks = []checker.Check{{Name: "slow", InitialDelay: 20 * second}}
				c.Startup = kubernetes.Timing{Period: 5 * second, FailureThreshold: 6}
			},
			func(c *kubernetes.Config) {
				c.Checks = []checker.Check{{Name: "slow", InitialDelay: 20 * second}}
				c.Startup = kubernetes.Timing{Period: 5 * second, FailureThreshold: 5}
			},
			`Startup: fails after 20s (Period × (FailureThreshold - 1)), but the first result of check "slow" may take 25s`,
		},
		"traffic before restarts": {
			func(c *kubernetes.Config) { c.Liveness = kubernetes.Timing{Period: 2 * second, FailureThreshold: 2} },
			func(c *kubernetes.Config) { c.Liveness = kubernetes.Timing{Period: 3 * second, FailureThreshold: 1} },
			"before Readiness removes the pod",
		},
		"file that expires late": {
			file("/tmp/health", 10*second),
			file("/tmp/health", 11*second),
			"the file expires after 33s, later than the 30s",
		},
		"whole seconds": {
			func(c *kubernetes.Config) { c.Readiness.Period = 2 * second },
			func(c *kubernetes.Config) { c.Readiness.Period = 1500 * time.Millisecond },
			"Readiness.Period: got 1.5s, want whole seconds",
		},
		"negative threshold": {
			func(c *kubernetes.Config) { c.Startup.FailureThreshold = 100 },
			func(c *kubernetes.Config) { c.Startup.FailureThreshold = -1 },
			"Startup.FailureThreshold: got -1",
		},
		"negative threshold of a derived period": {
			func(c *kubernetes.Config) { c.Readiness.FailureThreshold = 1 },
			func(c *kubernetes.Config) { c.Readiness.FailureThreshold = -1 },
			"Readiness.FailureThreshold: got -1",
		},
		"huge times": {
			func(c *kubernetes.Config) { c.ShutdownTimeout = 24 * time.Hour },
			func(c *kubernetes.Config) { c.ShutdownTimeout = 1<<63 - 1 },
			"ShutdownTimeout: got 2562047h47m16.854775807s, want at most a year",
		},
		"one endpoint": {
			func(c *kubernetes.Config) { c.GRPCPort, c.HTTPPort = 0, 8080 },
			func(c *kubernetes.Config) { c.HTTPPort = 8080 },
			"Config: got 2 of GRPCPort, HTTPPort and Command, want exactly one",
		},
		"port": {
			func(c *kubernetes.Config) { c.GRPCPort = 65535 },
			func(c *kubernetes.Config) { c.GRPCPort = 65536 },
			"GRPCPort: got 65536",
		},
		"TLS": {
			func(c *kubernetes.Config) { c.GRPCPort, c.HTTPPort, c.HTTPS = 0, 8443, true },
			func(c *kubernetes.Config) { c.HTTPS = true },
			"HTTPS: requires HTTPPort",
		},
		"gRPC with TLS": {
			func(c *kubernetes.Config) { c.GRPCTLS, c.GRPCContainerProbeTLS = true, true },
			func(c *kubernetes.Config) { c.GRPCTLS = true },
			"GRPCTLS: gRPC probes do not support TLS, except in Kubernetes 1.37 with the feature gate GRPCContainerProbeTLS",
		},
		"GRPCTLS without a port": {
			func(c *kubernetes.Config) { c.GRPCContainerProbeTLS = true },
			func(c *kubernetes.Config) {
				c.GRPCPort, c.HTTPPort, c.GRPCTLS, c.GRPCContainerProbeTLS = 0, 8080, true, true
			},
			"GRPCTLS: requires GRPCPort",
		},
		"timeout of the command": {
			func(c *kubernetes.Config) {
				exec("localhost:1", "-rpc-timeout=500ms")(c)
				c.Liveness.Timeout = 2 * second
			},
			func(c *kubernetes.Config) {
				exec("localhost:1")(c)
				c.Liveness.Timeout = 2 * second
			},
			"Liveness.Timeout: got 2s, want more than the 2s after which the command fails",
		},
		"timeout of a command with flags": {
			func(c *kubernetes.Config) {
				exec("localhost:1")(c)
				c.Command = append(c.Command, "-rpc-timeout=500ms")
				c.Liveness.Timeout = 2 * second
			},
			func(c *kubernetes.Config) {
				exec("localhost:1")(c)
				c.Command = append(c.Command, "-gzip")
				c.Liveness.Timeout = 2 * second
			},
			"Liveness.Timeout: got 2s, want more than the 2s after which the command fails",
		},
		"address": {
			exec("[::1]:50051"), exec("50051"), `Address: got "50051"`,
		},
		"URL": {
			exec("https://[::1]:8443"), exec("http://localhost:8080/health"),
			`Address: got "http://localhost:8080/health", want http://host:port without a path`,
		},
		"relative file": {
			file("/health", second), exec("health"),
			`Address: got "health"`,
		},
		"file with a process ID": {
			file("/tmp/p", second), file("/tmp/{pid}", second),
			"without a process ID",
		},
		"no interval": {
			file("/tmp/p", second), file("/tmp/p", 0),
			"want how often the program writes the file",
		},
		"interval without a file": {
			exec("localhost:1"), file("localhost:1", second),
			"FileInterval: requires",
		},
		"reserved flags": {
			exec("localhost:1", "-tls-server-name", "service"),
			exec("localhost:1", "--service=orders"),
			"Command: has the flag --service=orders",
		},
		"no command": {
			exec("localhost:1"),
			func(c *kubernetes.Config) { c.Address = "localhost:1" },
			"Command: is required",
		},
	} {
		t.Run(name, func(t *testing.T) {
			good := kubernetes.Config{GRPCPort: 9090}
			test.good(&good)
			must(t, good)

			bad := kubernetes.Config{GRPCPort: 9090}
			test.bad(&bad)
			pod, err := kubernetes.Probes(bad)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got error %v, want %q", err, test.want)
			}
			if pod != nil {
				t.Error("got a Pod with the error")
			}
			if err != nil && strings.Count(err.Error(), "\n") > 0 {
				t.Errorf("got several errors: %v", err)
			}
		})
	}
}

func TestStartupWaitsForGatingChecksOnly(t *testing.T) {
	for name, test := range map[string]struct {
		check checker.Check
		waits bool
	}{
		"dependency":          {checker.Check{}, true},
		"optional dependency": {checker.Check{Optional: true}, false},
		"gates nothing":       {checker.Check{Gates: []string{checker.None}}, false},
		"gates one service":   {checker.Check{Gates: []string{"shop.v1.Orders"}}, false},
		"gates startup":       {checker.Check{Gates: []string{checker.Startup}}, true},
		"resource":            {checker.Check{Kind: checker.Resource}, false},
		"gating resource":     {checker.Check{Kind: checker.Resource, Gates: []string{checker.Readiness}}, true},
		"process":             {checker.Check{Kind: checker.Process}, false},
	} {
		t.Run(name, func(t *testing.T) {
			test.check.Name, test.check.InitialDelay = "it", time.Hour
			_, err := kubernetes.Probes(kubernetes.Config{
				GRPCPort: 9090, Checks: []checker.Check{test.check}, Startup: kubernetes.Timing{FailureThreshold: 60},
			})
			if (err != nil) != test.waits {
				t.Errorf("rejected: %v; startup waits for it: %v", err, test.waits)
			}
		})
	}
}

func TestProbesReportsAllConflicts(t *testing.T) {
	_, err := kubernetes.Probes(kubernetes.Config{
		HTTPS: true, GRPCPort: -1, Startup: kubernetes.Timing{Period: -1, FailureThreshold: 1 << 40},
		Liveness: kubernetes.Timing{Timeout: time.Hour, Period: second}, Command: []string{"/server", "-for=healthy"}, GracePeriod: -second,
	})
	for _, field := range []string{
		"Config: got 2", "GRPCPort: got", "HTTPS: requires", "Address: got", "Command: has the flag",
		"Startup.Period: got", "Startup.FailureThreshold: got", "Liveness.Timeout: got", "GracePeriod: got",
	} {
		if err == nil || !strings.Contains(err.Error(), "kubernetes: "+field) {
			t.Errorf("no %q in:\n%v", field, err)
		}
	}
}

func TestPatchNamesTheFeatureGateThatItNeeds(t *testing.T) {
	const annotation = `"vitals/requires": "Kubernetes 1.37 with the feature gate GRPCContainerProbeTLS"`
	for _, secure := range []bool{false, true} {
		patch := string(must(t, kubernetes.Config{GRPCPort: 9090, GRPCTLS: secure, GRPCContainerProbeTLS: true}).Patch("orders"))
		if strings.Contains(patch, annotation) != secure {
			t.Errorf("TLS %v: %s", secure, patch)
		}
	}
}

func must(t *testing.T, cfg kubernetes.Config) *kubernetes.Pod {
	t.Helper()
	pod, err := kubernetes.Probes(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return pod
}

type probe struct {
	GRPC, HTTPGet, Exec                             json.RawMessage
	PeriodSeconds, TimeoutSeconds, FailureThreshold int
}

// probesOf returns the startup, liveness and readiness probes.
func probesOf(t *testing.T, pod *kubernetes.Pod) [3]probe {
	t.Helper()
	var c struct{ StartupProbe, LivenessProbe, ReadinessProbe probe }
	if err := json.Unmarshal(pod.Container(), &c); err != nil {
		t.Fatal(err)
	}
	return [3]probe{c.StartupProbe, c.LivenessProbe, c.ReadinessProbe}
}

func commandOf(t *testing.T, p probe) []string {
	t.Helper()
	var action struct{ Command []string }
	if err := json.Unmarshal(p.Exec, &action); err != nil {
		t.Fatal(err)
	}
	return action.Command
}
