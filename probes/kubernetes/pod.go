package kubernetes

// Pod is what a pod's manifest takes over. Its JSON has the names and types of the Kubernetes API, core/v1 PodSpec; its
// Container is the part of that container which runs the program.
type Pod struct {
	TerminationGracePeriodSeconds int64     `json:"terminationGracePeriodSeconds"`
	Container                     Container `json:"-"`
}

// Container is the part of a core/v1 Container that is about its health.
type Container struct {
	StartupProbe   Probe      `json:"startupProbe"`
	LivenessProbe  Probe      `json:"livenessProbe"`
	ReadinessProbe Probe      `json:"readinessProbe"`
	Lifecycle      *Lifecycle `json:"lifecycle,omitempty"`
}

// Probe is a core/v1 Probe. Exactly one of GRPC, HTTPGet and Exec is set.
type Probe struct {
	GRPC                *GRPCAction    `json:"grpc,omitempty"`
	HTTPGet             *HTTPGetAction `json:"httpGet,omitempty"`
	Exec                *ExecAction    `json:"exec,omitempty"`
	InitialDelaySeconds int32          `json:"initialDelaySeconds,omitempty"`
	PeriodSeconds       int32          `json:"periodSeconds"`
	TimeoutSeconds      int32          `json:"timeoutSeconds"`
	FailureThreshold    int32          `json:"failureThreshold"`
	SuccessThreshold    int32          `json:"successThreshold,omitempty"`
}

// GRPCAction is a core/v1 GRPCAction.
type GRPCAction struct {
	Port    int32  `json:"port"`
	Service string `json:"service"`
}

// HTTPGetAction is a core/v1 HTTPGetAction.
type HTTPGetAction struct {
	Path   string `json:"path"`
	Port   int32  `json:"port"`
	Scheme string `json:"scheme,omitempty"`
}

// ExecAction is a core/v1 ExecAction.
type ExecAction struct {
	Command []string `json:"command"`
}

// Lifecycle is a core/v1 Lifecycle.
type Lifecycle struct {
	PreStop *LifecycleHandler `json:"preStop,omitempty"`
}

// LifecycleHandler is a core/v1 LifecycleHandler.
type LifecycleHandler struct {
	Sleep *SleepAction `json:"sleep,omitempty"`
}

// SleepAction is a core/v1 SleepAction, which needs Kubernetes 1.30.
type SleepAction struct {
	Seconds int64 `json:"seconds"`
}
