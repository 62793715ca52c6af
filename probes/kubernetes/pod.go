package kubernetes

import (
	"encoding/json"
	"time"

	"github.com/vitals-go/vitals/checker"
)

// Pod is the health part of a pod's manifest. It is immutable.
type Pod struct {
	gracePeriod time.Duration
	container   container
}

// container and the types below are parts of their namesakes in core/v1.
type container struct {
	Name           string `json:"name,omitempty"`
	StartupProbe   probe  `json:"startupProbe"`
	LivenessProbe  probe  `json:"livenessProbe"`
	ReadinessProbe probe  `json:"readinessProbe"`
}

// probe has exactly one of GRPC, HTTPGet and Exec.
type probe struct {
	GRPC             *grpcAction    `json:"grpc,omitempty"`
	HTTPGet          *httpGetAction `json:"httpGet,omitempty"`
	Exec             *execAction    `json:"exec,omitempty"`
	PeriodSeconds    int64          `json:"periodSeconds"`
	TimeoutSeconds   int64          `json:"timeoutSeconds"`
	FailureThreshold int            `json:"failureThreshold"`
}

type grpcAction struct {
	Port    int    `json:"port"`
	Service string `json:"service"`
	Mode    string `json:"mode,omitempty"`
}

type httpGetAction struct {
	Path   string `json:"path"`
	Port   int    `json:"port"`
	Scheme string `json:"scheme,omitempty"`
}

type execAction struct {
	Command []string `json:"command"`
}

// Probes returns the health part of the manifest for cfg, or an error that joins every conflict with its reason.
func Probes(cfg Config) (*Pod, error) {
	c := cfg.withDefaults()
	if err := c.validate(); err != nil {
		return nil, err
	}
	return &Pod{
		gracePeriod: c.GracePeriod,
		container: container{
			StartupProbe:   c.probe(checker.Startup, c.Startup),
			LivenessProbe:  c.probe(checker.Liveness, c.Liveness),
			ReadinessProbe: c.probe(checker.Readiness, c.Readiness),
		},
	}, nil
}

// GracePeriod returns the pod's terminationGracePeriodSeconds.
func (p *Pod) GracePeriod() time.Duration { return p.gracePeriod }

// Container returns the fields startupProbe, livenessProbe and readinessProbe of a core/v1 Container, in JSON.
func (p *Pod) Container() []byte { return encode(p.container) }

// Patch returns a strategic merge patch of the named container, in JSON, for kubectl patch --patch-file. It fits
// Deployments, StatefulSets and DaemonSets. Where the probes need a feature gate, an annotation of the pod names it.
func (p *Pod) Patch(name string) []byte {
	type object = map[string]any
	c := p.container
	c.Name = name
	spec := object{"terminationGracePeriodSeconds": int64(p.gracePeriod / time.Second), "containers": []container{c}}
	template := object{"spec": spec}
	if c.LivenessProbe.GRPC != nil && c.LivenessProbe.GRPC.Mode != "" {
		template["metadata"] = object{"annotations": object{"vitals/requires": grpcTLSRequires}}
	}
	return encode(object{"spec": object{"template": template}})
}

func encode(v any) []byte {
	text, _ := json.MarshalIndent(v, "", "  ") // cannot fail: v has numbers and strings only
	return text
}

func (c Config) probe(name string, t Timing) probe {
	p := probe{
		PeriodSeconds:    int64(t.Period / time.Second),
		TimeoutSeconds:   int64(t.Timeout / time.Second),
		FailureThreshold: t.FailureThreshold,
	}
	switch {
	case c.GRPCPort != 0:
		p.GRPC = &grpcAction{Port: c.GRPCPort, Service: name}
		if c.GRPCTLS {
			p.GRPC.Mode = "TLS"
		}
	case c.HTTPPort != 0:
		p.HTTPGet = &httpGetAction{Port: c.HTTPPort, Path: probePath(name)}
		if c.HTTPS {
			p.HTTPGet.Scheme = "HTTPS"
		}
	default:
		p.Exec = &execAction{Command: c.command(name)}
	}
	return p
}

// probePath returns the HTTP path of a probe.
func probePath(name string) string {
	return map[string]string{checker.Startup: "/startup", checker.Liveness: "/live", checker.Readiness: "/ready"}[name]
}
