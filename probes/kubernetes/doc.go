// Package kubernetes writes the part of a manifest that must agree with the program: the startup, liveness and
// readiness probes of a container, the pod's grace period and, if wanted, a preStop pause.
//
// Such numbers easily contradict each other. A grace period that is shorter than the drain kills calls in flight; a
// readiness probe that looks every ten seconds does not see a drain of five; a startup probe that gives up before a
// slow check has its first result restarts the container for ever. Probes derives what is left out from what the
// program is configured to do, and refuses what cannot work, each contradiction with its reason and all at once.
//
// The kubelet asks in one of three ways: over gRPC, over HTTP, or by running the program's own healthcheck command in
// the container. It asks for startup, liveness and readiness, never for /health: a busy CPU makes the report critical,
// which is a fact for a person and no reason to restart.
//
// What Probes returns has the field names of the Kubernetes API (core/v1) in its JSON, so it fits into typed clients;
// Patch and YAML write it for kubectl, Kustomize and Helm. The package needs no Kubernetes module.
//
// # Concurrency, ownership and cost
//
// Everything here is a value; nothing is kept, nothing is started. It is meant for a generator or a test, not for a
// hot path.
package kubernetes
