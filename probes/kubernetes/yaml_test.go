package kubernetes_test

import (
	"strings"
	"testing"
	"time"

	"github.com/vitals-go/vitals/probes/kubernetes"
)

func TestContainerYAML(t *testing.T) {
	pod := must(t, kubernetes.Config{
		Exec: &kubernetes.Exec{
			Command: []string{"/server", "healthcheck"}, Addr: "unix:///run/it's \"here\": #1\u007f\u0085\U000e0001",
		},
		PreStop: 2 * time.Second,
	})
	got := string(pod.Container.YAML())
	for _, want := range []string{
		"startupProbe:\n  exec:\n    command: [\"/server\", \"healthcheck\", \"-addr\", \"unix:///run/it's \\\"here\\\": #1\\u007f\\u0085\\U000e0001\", \"-service\", \"startup\"]\n" +
			"  periodSeconds: 3\n",
		"\nlifecycle:\n  preStop:\n    sleep:\n      seconds: 2\n",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("no\n%s\nin\n%s", want, got)
		}
	}
}

func TestPatchTarget(t *testing.T) {
	pod := must(t, kubernetes.Config{GRPCPort: 9090})
	// A name that YAML would read as a number, or as a truth, stays a name.
	patch, err := pod.Patch(kubernetes.Target{Kind: "StatefulSet", Name: "007", Container: "on"})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"kind: StatefulSet\n", "  name: \"007\"\n", "      - name: \"on\"\n        startupProbe:\n"} {
		if !strings.Contains(string(patch), want) {
			t.Errorf("no %q in\n%s", want, patch)
		}
	}
	_, err = pod.Patch(kubernetes.Target{Kind: "Pod", Name: "Orders", Container: strings.Repeat("a", 64)})
	for _, field := range []string{"Kind", "Name", "Container"} {
		if err == nil || !strings.Contains(err.Error(), "Target."+field+" is") {
			t.Errorf("no word of %s in: %v", field, err)
		}
	}
	if _, err := pod.Patch(kubernetes.Target{}); err == nil {
		t.Error("a target without a name is accepted")
	}
}
