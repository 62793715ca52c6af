// Package kubernetes derives the health part of a pod's manifest from the configuration of the program: the startup,
// liveness and readiness probes of its container, and the pod's termination grace period.
//
// Probes fills in defaults that agree with the program's checks and drain, and rejects settings that conflict: a grace
// period shorter than the drain, a readiness probe too slow to notice the drain, a startup probe that fails before the
// first result of a slow check.
//
// The kubelet probes over gRPC, over HTTP, or by the program's own healthcheck command. It probes startup, liveness and
// readiness, never /health, which fails while a CPU check is critical.
//
// The result is JSON with the field names of the Kubernetes API, for kubectl and typed clients; sigs.k8s.io/yaml turns it
// into YAML. The package needs no Kubernetes module.
package kubernetes
