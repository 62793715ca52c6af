package main

import (
	"bytes"
	"encoding/json"
	"reflect"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/vitals-go/vitals/probes/kubernetes"
)

func TestPodFitsTheAPI(t *testing.T) {
	command := []string{"/server", "healthcheck"}
	for name, cfg := range map[string]kubernetes.Config{
		"gRPC":    {GRPCPort: 9090},
		"HTTPS":   {HTTPPort: 8443, HTTPS: true},
		"command": {Command: command, Address: "unix:///run/inventory.sock"},
		"file":    {Command: command, Address: "/tmp/health", FileInterval: time.Second},
	} {
		t.Run(name, func(t *testing.T) { fits(t, cfg) })
	}
}

func FuzzPodFitsTheAPI(f *testing.F) {
	for _, word := range []string{
		"", "/server", "yes", "null", "- a", "a: b", "a #b", "'\"", "\t\n\x00", "\u2028\u0085\ufeff", "\xff", "\u007f", "\u0080", "\ufffe", "\U000e0001", "{{", "---", "*a", "&a", "!t", "%", "🩺", "0x1f", "1e3", "~",
	} {
		f.Add(word)
	}
	f.Fuzz(func(t *testing.T, word string) {
		fits(t, kubernetes.Config{Command: []string{"/server", word, "-rpc-header=" + word}, Address: "unix:" + word})
	})
}

func fits(t *testing.T, cfg kubernetes.Config) {
	t.Helper()
	pod, err := kubernetes.Probes(cfg)
	if err != nil {
		t.Skip(err)
	}
	var want corev1.Container
	strict(t, pod.Container(), &want)
	var deployment appsv1.Deployment
	strict(t, pod.Patch("server"), &deployment)
	spec := deployment.Spec.Template.Spec
	want.Name = "server"
	if len(spec.Containers) != 1 || !reflect.DeepEqual(spec.Containers[0], want) {
		t.Errorf("the patch has %+v, want %+v", spec.Containers, want)
	}
	if p := spec.TerminationGracePeriodSeconds; p == nil || time.Duration(*p)*time.Second != pod.GracePeriod() {
		t.Errorf("the patch has the grace period %v, want %v", p, pod.GracePeriod())
	}
}

// strict fails the test for a field that the API does not have.
func strict(t *testing.T, text []byte, object any) {
	t.Helper()
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(object); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
}
