package kubernetes

import (
	"slices"
	"time"

	"github.com/vitals-go/vitals/checker"
)

// Probes returns what the manifest of a program that is configured so must say, or an error that names every
// contradiction with its reason. Nothing in what it returns is shared with config.
func Probes(config Config) (*Pod, error) {
	c := config.withDefaults()
	if err := c.contradictions(); err != nil {
		return nil, err
	}
	pod := &Pod{
		TerminationGracePeriodSeconds: int64(c.GracePeriod / time.Second),
		Container: Container{
			StartupProbe:   c.probe(checker.Startup, c.Startup),
			LivenessProbe:  c.probe(checker.Liveness, c.Liveness),
			ReadinessProbe: c.probe(checker.Readiness, c.Readiness),
		},
	}
	if c.PreStop > 0 {
		sleep := &SleepAction{Seconds: int64(c.PreStop / time.Second)}
		pod.Container.Lifecycle = &Lifecycle{PreStop: &LifecycleHandler{Sleep: sleep}}
	}
	return pod, nil
}

func (c Config) probe(name string, t Timing) Probe {
	p := Probe{
		InitialDelaySeconds: int32(t.InitialDelay / time.Second),
		PeriodSeconds:       int32(t.Period / time.Second),
		TimeoutSeconds:      int32(t.Timeout / time.Second),
		FailureThreshold:    int32(t.FailureThreshold),
	}
	if t.SuccessThreshold > 1 {
		p.SuccessThreshold = int32(t.SuccessThreshold)
	}
	switch {
	case c.GRPCPort != 0:
		p.GRPC = &GRPCAction{Port: int32(c.GRPCPort), Service: name}
	case c.HTTPPort != 0:
		p.HTTPGet = &HTTPGetAction{Port: int32(c.HTTPPort), Path: pathOf(name)}
		if c.HTTPS {
			p.HTTPGet.Scheme = "HTTPS"
		}
	default:
		p.Exec = &ExecAction{Command: c.Exec.command(name)}
	}
	return p
}

// pathOf returns the HTTP path of a probe.
func pathOf(name string) string {
	switch name {
	case checker.Startup:
		return "/startup"
	case checker.Liveness:
		return "/live"
	default:
		return "/ready"
	}
}

func (e *Exec) command(name string) []string {
	command := slices.Concat(e.Command, e.Flags)
	switch {
	case e.Addr != "":
		return append(command, "-addr", e.Addr, "-service", name)
	case e.URL != "":
		return append(command, "-http", e.URL+pathOf(name))
	case name == checker.Readiness:
		return append(command, "-file", e.File, "-for", "ready")
	default:
		// The file does not tell start-up from life: that it is there and in force is enough, and to be ready would be
		// too much, since a dependency that is down may not restart anybody.
		return append(command, "-file", e.File, "-for", "live")
	}
}
