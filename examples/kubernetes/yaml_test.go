package main

import (
	"bytes"
	"encoding/json"
	"reflect"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"

	"github.com/vitals-go/vitals/probes/kubernetes"
)

// What kubernetes.Probes makes is what the API reads, whether it goes there as JSON, as a container's YAML or as a patch.
func TestPodFitsTheAPI(t *testing.T) {
	command := []string{"/server", "healthcheck"}
	for name, config := range map[string]kubernetes.Config{
		"gRPC":    {GRPCPort: 9090},
		"HTTPS":   {HTTPPort: 8443, HTTPS: true, Readiness: kubernetes.Timing{SuccessThreshold: 2}},
		"command": {Exec: &kubernetes.Exec{Command: command, Addr: "unix:///run/inventory.sock"}, PreStop: 5 * time.Second},
		"file":    {Exec: &kubernetes.Exec{Command: command, File: "/tmp/health", FileInterval: time.Second}},
		"delayed": {GRPCPort: 1, Startup: kubernetes.Timing{InitialDelay: time.Minute}},
	} {
		t.Run(name, func(t *testing.T) { fits(t, config) })
	}
}

func FuzzPodFitsTheAPI(f *testing.F) {
	for _, word := range []string{
		"", "/server", "yes", "null", "- a", "a: b", "a #b", "'\"", "\t\n\x00", "\u2028\u0085\ufeff", "\xff", "\u007f", "\u0080", "\ufffe", "\U000e0001", "{{", "---", "*a", "&a", "!t", "%", "🩺", "0x1f", "1e3", "~",
	} {
		f.Add(word)
	}
	f.Fuzz(func(t *testing.T, word string) {
		fits(t, kubernetes.Config{Exec: &kubernetes.Exec{
			Command: []string{"/server", word}, Addr: "unix:" + word, Flags: []string{"-rpc-header=" + word},
		}})
	})
}

func fits(t *testing.T, config kubernetes.Config) {
	t.Helper()
	pod, err := kubernetes.Probes(config)
	if err != nil {
		t.Skip(err)
	}
	text, err := json.Marshal(pod.Container)
	if err != nil {
		t.Fatal(err)
	}
	var want, got corev1.Container
	asJSON := json.NewDecoder(bytes.NewReader(text))
	asJSON.DisallowUnknownFields()
	if err := asJSON.Decode(&want); err != nil {
		t.Fatalf("as JSON: %v\n%s", err, text)
	}
	if text = pod.Container.YAML(); yaml.UnmarshalStrict(text, &got) != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("as YAML: %+v, want %+v, from\n%s", got, want, text)
	}
	patch, err := pod.Patch(kubernetes.Target{Name: "inventory", Container: "server"})
	if err != nil {
		t.Fatal(err)
	}
	var deployment appsv1.Deployment
	if err := yaml.UnmarshalStrict(patch, &deployment); err != nil {
		t.Fatalf("as a patch: %v\n%s", err, patch)
	}
	spec := deployment.Spec.Template.Spec
	want.Name = "server"
	if len(spec.Containers) != 1 || !reflect.DeepEqual(spec.Containers[0], want) {
		t.Errorf("the patch has %+v, want %+v", spec.Containers, want)
	}
	if p := spec.TerminationGracePeriodSeconds; p == nil || *p != pod.TerminationGracePeriodSeconds {
		t.Errorf("the patch has the grace period %v, want %d", p, pod.TerminationGracePeriodSeconds)
	}
}
