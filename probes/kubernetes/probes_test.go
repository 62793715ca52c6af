package kubernetes_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vitals-go/vitals/checker"
	"github.com/vitals-go/vitals/probes/kubernetes"
)

const second = time.Second

func TestDefaultsAgreeWithEachOther(t *testing.T) {
	slow := []checker.Check{{Name: "slow", InitialDelay: 2 * time.Minute, Timeout: 30 * second}}
	file := &kubernetes.Exec{Command: []string{"/server", "healthcheck"}, File: "/tmp/health", FileInterval: 10 * second}
	command := &kubernetes.Exec{Command: []string{"/server", "healthcheck"}, Addr: "localhost:50051"}
	for name, config := range map[string]kubernetes.Config{
		"gRPC":             {GRPCPort: 9090},
		"HTTP":             {HTTPPort: 8080},
		"command":          {Exec: command},
		"file":             {Exec: file},
		"slow check":       {GRPCPort: 9090, Checks: slow},
		"short drain":      {GRPCPort: 9090, DrainDelay: second},
		"long drain":       {Exec: command, DrainDelay: time.Minute, ShutdownTimeout: time.Hour},
		"broken drain":     {GRPCPort: 9090, DrainDelay: 2500 * time.Millisecond, ShutdownTimeout: 1100 * time.Millisecond},
		"preStop instead":  {GRPCPort: 9090, DrainDelay: -1, PreStop: 5 * second},
		"no shutdown":      {GRPCPort: 9090, ShutdownTimeout: -1},
		"patient probes":   {GRPCPort: 9090, DrainDelay: 9 * second, Readiness: kubernetes.Timing{Timeout: 4 * second}},
		"only a threshold": {GRPCPort: 9090, Readiness: kubernetes.Timing{FailureThreshold: 5}},
		"only a period":    {GRPCPort: 9090, Readiness: kubernetes.Timing{Period: 5 * second}},
	} {
		t.Run(name, func(t *testing.T) {
			pod, err := kubernetes.Probes(config)
			if err != nil {
				t.Fatal(err)
			}
			for _, p := range probesOf(pod) {
				if p.PeriodSeconds < 1 || p.TimeoutSeconds < 1 || p.FailureThreshold < 1 {
					t.Errorf("the API refuses %+v", p)
				}
			}
		})
	}
}

func TestWhatIsDerived(t *testing.T) {
	pod := must(t, kubernetes.Config{
		HTTPPort: 8080, DrainDelay: 10 * second, ShutdownTimeout: 25500 * time.Millisecond, PreStop: 3 * second,
		Checks: []checker.Check{{Name: "database", InitialDelay: 20 * second, Timeout: 40 * second}},
	})
	if got := pod.TerminationGracePeriodSeconds; got != 44 {
		t.Errorf("grace period is %d s, want 3 + 10 + 25.5 + 5, rounded up", got)
	}
	if got := pod.Container.Lifecycle.PreStop.Sleep.Seconds; got != 3 {
		t.Errorf("preStop sleeps %d s, want 3", got)
	}
	if p := pod.Container.StartupProbe; p.PeriodSeconds*(p.FailureThreshold-1) != 120 {
		t.Errorf("start-up gives up after %d × %d s, want twice the minute that the check may take", p.FailureThreshold-1, p.PeriodSeconds)
	}
	if p := pod.Container.ReadinessProbe; p.PeriodSeconds != 5 || p.FailureThreshold != 2 {
		t.Errorf("readiness is %+v, want 2 × 5 s within a drain delay of 10 s", p)
	}
}

func TestHowEachDoorIsAsked(t *testing.T) {
	commanded := func(e kubernetes.Exec) kubernetes.Config {
		e.Command = []string{"/server", "healthcheck"}
		return kubernetes.Config{Exec: &e}
	}
	for name, test := range map[string]struct {
		config kubernetes.Config
		want   [3]string // startup, liveness, readiness
	}{
		"gRPC": {kubernetes.Config{GRPCPort: 9090}, [3]string{
			`{"port":9090,"service":"startup"}`, `{"port":9090,"service":"liveness"}`, `{"port":9090,"service":"readiness"}`,
		}},
		"HTTPS": {kubernetes.Config{HTTPPort: 8443, HTTPS: true}, [3]string{
			`{"path":"/startup","port":8443,"scheme":"HTTPS"}`, `{"path":"/live","port":8443,"scheme":"HTTPS"}`,
			`{"path":"/ready","port":8443,"scheme":"HTTPS"}`,
		}},
		"command over gRPC": {commanded(kubernetes.Exec{Addr: "unix:///run/s", Flags: []string{"-tls"}}), [3]string{
			`{"command":["/server","healthcheck","-tls","-addr","unix:///run/s","-service","startup"]}`,
			`{"command":["/server","healthcheck","-tls","-addr","unix:///run/s","-service","liveness"]}`,
			`{"command":["/server","healthcheck","-tls","-addr","unix:///run/s","-service","readiness"]}`,
		}},
		"command over HTTP": {commanded(kubernetes.Exec{URL: "http://localhost:8080"}), [3]string{
			`{"command":["/server","healthcheck","-http","http://localhost:8080/startup"]}`,
			`{"command":["/server","healthcheck","-http","http://localhost:8080/live"]}`,
			`{"command":["/server","healthcheck","-http","http://localhost:8080/ready"]}`,
		}},
		// That a dependency is down restarts nobody: start-up asks the file for life only.
		"file": {commanded(kubernetes.Exec{File: "/tmp/health", FileInterval: second}), [3]string{
			`{"command":["/server","healthcheck","-file","/tmp/health","-for","live"]}`,
			`{"command":["/server","healthcheck","-file","/tmp/health","-for","live"]}`,
			`{"command":["/server","healthcheck","-file","/tmp/health","-for","ready"]}`,
		}},
	} {
		t.Run(name, func(t *testing.T) {
			for i, p := range probesOf(must(t, test.config)) {
				var action any = p.GRPC
				if p.HTTPGet != nil {
					action = p.HTTPGet
				} else if p.Exec != nil {
					action = p.Exec
				}
				got, err := json.Marshal(action)
				if err != nil {
					t.Fatal(err)
				}
				if string(got) != test.want[i] {
					t.Errorf("probe %d asks %s, want %s", i, got, test.want[i])
				}
			}
		})
	}
}

func TestConfigIsNotShared(t *testing.T) {
	flags := make([]string, 1, 10)
	flags[0] = "-tls"
	command := make([]string, 2, 10)
	command[0], command[1] = "/server", "healthcheck"
	pod := must(t, kubernetes.Config{Exec: &kubernetes.Exec{Command: command, Flags: flags, Addr: "localhost:1"}})
	last := func(p kubernetes.Probe) string { return p.Exec.Command[len(p.Exec.Command)-1] }
	if c := pod.Container; last(c.StartupProbe) != "startup" || last(c.LivenessProbe) != "liveness" {
		t.Errorf("the commands share their words: %v, %v", c.StartupProbe.Exec, c.LivenessProbe.Exec)
	}
	pod.Container.StartupProbe.Exec.Command[0] = "/other"
	if command[0] != "/server" || pod.Container.LivenessProbe.Exec.Command[0] != "/server" {
		t.Error("a change of one command changes another")
	}
}

// Every rule is broken by a small step and kept by one step less.
func TestTheEdgeOfEachRule(t *testing.T) {
	type edit func(*kubernetes.Config)
	exec := func(e kubernetes.Exec) edit {
		return func(c *kubernetes.Config) {
			e.Command = []string{"/server", "healthcheck"}
			c.GRPCPort, c.Exec = 0, &e
		}
	}
	for name, test := range map[string]struct {
		good, bad edit
		complaint string
	}{
		"grace period": {
			func(c *kubernetes.Config) { c.GracePeriod = 26 * second },
			func(c *kubernetes.Config) { c.GracePeriod = 25 * second },
			"GracePeriod is 25s",
		},
		"grace period with preStop": {
			func(c *kubernetes.Config) { c.PreStop, c.GracePeriod = 4*second, 30*second },
			func(c *kubernetes.Config) { c.PreStop, c.GracePeriod = 5*second, 30*second },
			"PreStop 5s + DrainDelay 5s + ShutdownTimeout 20s",
		},
		"readiness against the drain": {
			func(c *kubernetes.Config) { c.Readiness = kubernetes.Timing{Period: 5 * second, FailureThreshold: 1} },
			func(c *kubernetes.Config) { c.Readiness = kubernetes.Timing{Period: 3 * second, FailureThreshold: 2} },
			"endpoints may still route to the pod when GracefulStop begins",
		},
		"nobody hears of the drain": {
			func(c *kubernetes.Config) { c.DrainDelay, c.PreStop = -1, second },
			func(c *kubernetes.Config) { c.DrainDelay = -1 },
			"endpoints still route",
		},
		"timeout against period": {
			func(c *kubernetes.Config) { c.Liveness.Timeout, c.Liveness.Period = 5*second, 5*second },
			func(c *kubernetes.Config) { c.Liveness.Timeout, c.Liveness.Period = 6*second, 5*second },
			"Liveness.Timeout is 6s, longer than its Period of 5s",
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
			`Startup gives up after 20s (InitialDelay + Period × (FailureThreshold - 1)), but the first result of check "slow" may take 25s`,
		},
		"traffic before restarts": {
			func(c *kubernetes.Config) { c.Liveness = kubernetes.Timing{Period: 2 * second, FailureThreshold: 2} },
			func(c *kubernetes.Config) { c.Liveness = kubernetes.Timing{Period: 3 * second, FailureThreshold: 1} },
			"before Readiness takes the traffic away",
		},
		"file that expires late": {
			exec(kubernetes.Exec{File: "/tmp/health", FileInterval: 10 * second}),
			exec(kubernetes.Exec{File: "/tmp/health", FileInterval: 11 * second}),
			"the file expires 33s after it was written, later than the 30s",
		},
		"whole seconds": {
			func(c *kubernetes.Config) { c.Readiness.Period = 2 * second },
			func(c *kubernetes.Config) { c.Readiness.Period = 1500 * time.Millisecond },
			"Readiness.Period is 1.5s: Kubernetes counts whole seconds",
		},
		"success threshold": {
			func(c *kubernetes.Config) { c.Readiness.SuccessThreshold = 2 },
			func(c *kubernetes.Config) { c.Liveness.SuccessThreshold = 2 },
			"Liveness.SuccessThreshold is 2: Kubernetes accepts only 1 here",
		},
		"negative delay": {
			func(c *kubernetes.Config) { c.Startup.InitialDelay = 3 * second },
			func(c *kubernetes.Config) { c.Startup.InitialDelay = -3 * second },
			"Startup.InitialDelay is -3s",
		},
		"negative threshold": {
			func(c *kubernetes.Config) { c.Startup.FailureThreshold = 100 },
			func(c *kubernetes.Config) { c.Startup.FailureThreshold = -1 },
			"Startup.FailureThreshold is -1",
		},
		"negative threshold of a derived period": {
			func(c *kubernetes.Config) { c.Readiness.FailureThreshold = 1 },
			func(c *kubernetes.Config) { c.Readiness.FailureThreshold = -1 },
			"Readiness.FailureThreshold is -1",
		},
		"huge times": {
			func(c *kubernetes.Config) { c.ShutdownTimeout = 24 * time.Hour },
			func(c *kubernetes.Config) { c.ShutdownTimeout = 1<<63 - 1 },
			"ShutdownTimeout is 2562047h47m16.854775807s: more than a year",
		},
		"one door": {
			func(c *kubernetes.Config) { c.GRPCPort, c.HTTPPort = 0, 8080 },
			func(c *kubernetes.Config) { c.HTTPPort = 8080 },
			"exactly one of GRPCPort, HTTPPort and Exec, not 2",
		},
		"port": {
			func(c *kubernetes.Config) { c.GRPCPort = 65535 },
			func(c *kubernetes.Config) { c.GRPCPort = 65536 },
			"GRPCPort is 65536",
		},
		"TLS": {
			func(c *kubernetes.Config) { c.GRPCPort, c.HTTPPort, c.HTTPS = 0, 8443, true },
			func(c *kubernetes.Config) { c.HTTPS = true },
			"the kubelet's gRPC probe speaks no TLS",
		},
		"patience with the command": {
			func(c *kubernetes.Config) {
				exec(kubernetes.Exec{Addr: "localhost:1", Flags: []string{"-rpc-timeout=500ms"}})(c)
				c.Liveness.Timeout = 2 * second
			},
			func(c *kubernetes.Config) {
				exec(kubernetes.Exec{Addr: "localhost:1"})(c)
				c.Liveness.Timeout = 2 * second
			},
			"Liveness.Timeout is 2s, but the command waits 2s before it gives up and says why",
		},
		"patience with a command of many words": {
			func(c *kubernetes.Config) {
				exec(kubernetes.Exec{Addr: "localhost:1"})(c)
				c.Exec.Command = append(c.Exec.Command, "-rpc-timeout=500ms")
				c.Liveness.Timeout = 2 * second
			},
			func(c *kubernetes.Config) {
				exec(kubernetes.Exec{Addr: "localhost:1"})(c)
				c.Exec.Command = append(c.Exec.Command, "-gzip")
				c.Liveness.Timeout = 2 * second
			},
			"Liveness.Timeout is 2s, but the command waits 2s before it gives up and says why",
		},
		"one way": {
			exec(kubernetes.Exec{URL: "http://localhost:8080"}),
			exec(kubernetes.Exec{URL: "http://localhost:8080", Addr: "localhost:1"}),
			"exactly one of Addr, URL and File, not 2",
		},
		"address": {
			exec(kubernetes.Exec{Addr: "[::1]:50051"}), exec(kubernetes.Exec{Addr: "50051"}), `Exec.Addr is "50051"`,
		},
		"URL": {
			exec(kubernetes.Exec{URL: "https://[::1]:8443"}), exec(kubernetes.Exec{URL: "http://localhost:8080/health"}),
			`Exec.URL is "http://localhost:8080/health": want http://host:port without a path`,
		},
		"relative file": {
			exec(kubernetes.Exec{File: "/health", FileInterval: second}), exec(kubernetes.Exec{File: "health", FileInterval: second}),
			`Exec.File is "health": want an absolute path`,
		},
		"file of a process": {
			exec(kubernetes.Exec{File: "/tmp/p", FileInterval: second}), exec(kubernetes.Exec{File: "/tmp/{pid}", FileInterval: second}),
			"does not know the number of the process",
		},
		"unknown interval": {
			exec(kubernetes.Exec{File: "/tmp/p", FileInterval: second}), exec(kubernetes.Exec{File: "/tmp/p"}),
			"say how often the program writes the file",
		},
		"interval of no file": {
			exec(kubernetes.Exec{Addr: "localhost:1"}), exec(kubernetes.Exec{Addr: "localhost:1", FileInterval: second}),
			"Exec.FileInterval needs File",
		},
		"our flags": {
			exec(kubernetes.Exec{Addr: "localhost:1", Flags: []string{"-tls-server-name", "service"}}),
			exec(kubernetes.Exec{Addr: "localhost:1", Flags: []string{"--service=orders"}}),
			"Exec.Flags holds --service=orders",
		},
		"no command": {
			exec(kubernetes.Exec{Addr: "localhost:1"}),
			func(c *kubernetes.Config) { c.GRPCPort, c.Exec = 0, &kubernetes.Exec{Addr: "localhost:1"} },
			"Exec.Command is required",
		},
	} {
		t.Run(name, func(t *testing.T) {
			good := kubernetes.Config{GRPCPort: 9090}
			test.good(&good)
			must(t, good)

			bad := kubernetes.Config{GRPCPort: 9090}
			test.bad(&bad)
			pod, err := kubernetes.Probes(bad)
			if err == nil || !strings.Contains(err.Error(), test.complaint) {
				t.Errorf("complaint %q, want one with %q", err, test.complaint)
			}
			if pod != nil {
				t.Error("a manifest comes with the complaint")
			}
			if err != nil && strings.Count(err.Error(), "\n") > 0 {
				t.Errorf("one mistake, several complaints: %v", err)
			}
		})
	}
}

// Which checks start-up waits for is the judge's rule: see servicer.
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
				t.Errorf("refused: %v; start-up waits for it: %v", err, test.waits)
			}
		})
	}
}

func TestAllContradictionsAtOnce(t *testing.T) {
	_, err := kubernetes.Probes(kubernetes.Config{
		HTTPS: true, GRPCPort: -1, PreStop: -second,
		Startup: kubernetes.Timing{Period: -1, FailureThreshold: 1 << 40}, Liveness: kubernetes.Timing{Timeout: time.Hour, Period: second},
		Exec: &kubernetes.Exec{Flags: []string{"-for=healthy"}},
	})
	for _, field := range []string{
		"Config needs exactly one", "GRPCPort is", "HTTPS needs", "Exec.Command is", "Exec needs exactly one", "Exec.Flags holds",
		"Startup.Period is", "Startup.FailureThreshold is", "Liveness.Timeout is", "PreStop is",
	} {
		if err == nil || !strings.Contains(err.Error(), "kubernetes: "+field) {
			t.Errorf("no word of %q in:\n%v", field, err)
		}
	}
}

func must(t *testing.T, config kubernetes.Config) *kubernetes.Pod {
	t.Helper()
	pod, err := kubernetes.Probes(config)
	if err != nil {
		t.Fatal(err)
	}
	return pod
}

func probesOf(pod *kubernetes.Pod) []kubernetes.Probe {
	return slices.Clone([]kubernetes.Probe{pod.Container.StartupProbe, pod.Container.LivenessProbe, pod.Container.ReadinessProbe})
}
