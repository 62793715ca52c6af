package main

import (
	"bytes"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"sigs.k8s.io/yaml"
)

// podMonitor is as much of the Prometheus operator's type as the manifest uses; the whole one needs more modules than
// all examples together.
type podMonitor struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata"`

	Spec struct {
		Selector            metav1.LabelSelector `json:"selector"`
		PodMetricsEndpoints []struct {
			Port     string `json:"port"`
			Path     string `json:"path"`
			Interval string `json:"interval"`
		} `json:"podMetricsEndpoints"`
	} `json:"spec"`
}

// manifest is everything in manifest.yaml.
type manifest struct {
	config     corev1.ConfigMap
	deployment appsv1.Deployment
	service    corev1.Service
	disruption policyv1.PodDisruptionBudget
	monitor    podMonitor
}

// read fails the test for a field that the API does not know, a type that it does not have, and a key given twice.
func read(t *testing.T) (m manifest) {
	t.Helper()
	text, err := os.ReadFile("manifest.yaml")
	if err != nil {
		t.Fatal(err)
	}
	into := map[string]any{
		"v1/ConfigMap": &m.config, "apps/v1/Deployment": &m.deployment, "v1/Service": &m.service,
		"policy/v1/PodDisruptionBudget": &m.disruption, "monitoring.coreos.com/v1/PodMonitor": &m.monitor,
	}
	for document := range bytes.SplitSeq(text, []byte("\n---\n")) {
		var kind metav1.TypeMeta
		if err := yaml.Unmarshal(document, &kind); err != nil {
			t.Fatal(err)
		}
		object, known := into[kind.APIVersion+"/"+kind.Kind]
		if !known {
			t.Fatalf("nobody expects a %v here, or another one", kind)
		}
		delete(into, kind.APIVersion+"/"+kind.Kind)
		if err := yaml.UnmarshalStrict(document, object); err != nil {
			t.Fatalf("%s: %v", kind.Kind, err)
		}
	}
	if len(into) > 0 {
		t.Fatalf("the manifest lacks %v", into)
	}
	return m
}

func TestManifestIsUpToDate(t *testing.T) {
	before := os.Environ()
	t.Cleanup(func() {
		os.Clearenv()
		for _, entry := range before {
			name, value, _ := strings.Cut(entry, "=")
			_ = os.Setenv(name, value)
		}
	})
	var fresh bytes.Buffer
	if err := write(&fresh); err != nil {
		t.Fatal(err)
	}
	kept, err := os.ReadFile("manifest.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(kept, fresh.Bytes()) {
		t.Errorf("run: go run ./examples/kubernetes > examples/kubernetes/manifest.yaml; it would be\n%s", &fresh)
	}
}

func TestEverythingSelectsThePods(t *testing.T) {
	m := read(t)
	pods := labels.Set(m.deployment.Spec.Template.Labels)
	for name, selector := range map[string]*metav1.LabelSelector{
		"Deployment": m.deployment.Spec.Selector, "PodDisruptionBudget": m.disruption.Spec.Selector,
		"PodMonitor": &m.monitor.Spec.Selector, "Service": {MatchLabels: m.service.Spec.Selector},
		"topology": m.deployment.Spec.Template.Spec.TopologySpreadConstraints[0].LabelSelector,
	} {
		s, err := metav1.LabelSelectorAsSelector(selector)
		if err != nil || s.Empty() || !s.Matches(pods) {
			t.Errorf("%s selects %v (%v), not the pods with %v", name, selector, err, pods)
		}
	}
}

func TestNamesMeet(t *testing.T) {
	m := read(t)
	server := m.deployment.Spec.Template.Spec.Containers[0]
	ports := map[string]int32{}
	for _, port := range server.Ports {
		ports[port.Name] = port.ContainerPort
	}
	for name, variable := range map[string]string{
		"grpc": "INVENTORY_ADDR", "http": "PLUGIN_HEALTH_HTTP_ADDR", "health": "PLUGIN_HEALTH_GRPC_ADDR",
	} {
		if got := m.config.Data[variable]; got != fmt.Sprintf(":%d", ports[name]) {
			t.Errorf("port %s is %d, but %s is %q", name, ports[name], variable, got)
		}
	}
	if port := m.service.Spec.Ports[0].TargetPort.StrVal; ports[port] == 0 {
		t.Errorf("the Service leads to the port %q, which the container lacks", port)
	}
	if port := m.monitor.Spec.PodMetricsEndpoints[0].Port; ports[port] == 0 {
		t.Errorf("the PodMonitor scrapes the port %q, which the container lacks", port)
	}
	if got := server.EnvFrom[0].ConfigMapRef.Name; got != m.config.Name {
		t.Errorf("the environment comes from the ConfigMap %q, not %q", got, m.config.Name)
	}
	for _, probe := range []*corev1.Probe{server.StartupProbe, server.LivenessProbe, server.ReadinessProbe} {
		if probe == nil || probe.GRPC == nil || probe.GRPC.Port != ports["health"] {
			t.Errorf("the probe %v does not ask the port for health", probe)
		}
	}
}

// A typing error in a variable's name would be ignored by the server.
func TestTheServerKnowsEverySetting(t *testing.T) {
	m := read(t)
	var known []string
	for _, source := range []string{"../server/config.go", "../../env.go"} {
		text, err := os.ReadFile(source)
		if err != nil {
			t.Fatal(err)
		}
		known = append(known, regexp.MustCompile(`[A-Z]+(_[A-Z]+)+`).FindAllString(string(text), -1)...)
	}
	names := []string{m.deployment.Spec.Template.Spec.Containers[0].Env[0].Name}
	for name := range m.config.Data {
		names = append(names, name)
	}
	for _, name := range names {
		if !slices.Contains(known, name) {
			t.Errorf("the server reads no variable %s", name)
		}
	}
}
