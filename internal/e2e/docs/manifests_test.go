package docs_test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	"github.com/vitals-go/vitals/probes/promvitals"
)

// TestYAML reads every document of a page: a manifest as its type of Kubernetes, a fragment as a container or a pod,
// which must know every field; configurations and rules of Prometheus by promtool.
func TestYAML(t *testing.T) {
	for _, b := range blocksOf(t, "yaml") {
		for document := range strings.SplitSeq(b.text, "\n---\n") {
			if err := readYAML(t, []byte(document)); err != nil {
				t.Errorf("%s:%d: %v", b.page, b.line, err)
			}
		}
	}
}

func readYAML(t *testing.T, document []byte) error {
	t.Helper()
	var about struct {
		metav1.TypeMeta `json:",inline"`

		ScrapeConfigs any `json:"scrape_configs"`
		Groups        any `json:"groups"`
	}
	if err := yaml.Unmarshal(document, &about); err != nil {
		return err
	}
	switch {
	case about.ScrapeConfigs != nil:
		return promtool(t, document, "check", "config")
	case about.Groups != nil:
		return promtool(t, document, "check", "rules")
	case about.Kind == "":
		err := yaml.UnmarshalStrict(document, &corev1.Container{})
		if podErr := yaml.UnmarshalStrict(document, &corev1.PodSpec{}); err != nil && podErr != nil {
			return podErr
		}
		return nil
	}
	kinds := map[string]any{
		"v1/ConfigMap": &corev1.ConfigMap{}, "v1/Pod": &corev1.Pod{}, "v1/Service": &corev1.Service{},
		"apps/v1/Deployment": &appsv1.Deployment{}, "apps/v1/StatefulSet": &appsv1.StatefulSet{},
		"policy/v1/PodDisruptionBudget":       &policyv1.PodDisruptionBudget{},
		"monitoring.coreos.com/v1/PodMonitor": &podMonitor{},
	}
	into, known := kinds[about.APIVersion+"/"+about.Kind]
	if !known {
		return yaml.UnmarshalStrict(document, &struct{ metav1.TypeMeta }{})
	}
	return yaml.UnmarshalStrict(document, into)
}

// podMonitor is as much of the Prometheus operator's type as pages use.
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

func promtool(t *testing.T, document []byte, args ...string) error {
	t.Helper()
	path, err := exec.LookPath("promtool")
	if err != nil {
		t.Skip("promtool is not installed: apt-get install prometheus")
	}
	file := filepath.Join(t.TempDir(), "document.yml")
	if err := os.WriteFile(file, document, 0o600); err != nil {
		return err
	}
	output, err := exec.CommandContext(t.Context(), path, append(args, file)...).CombinedOutput()
	if err != nil {
		return &exec.Error{Name: string(output), Err: err}
	}
	return nil
}

var ourMetric = regexp.MustCompile(`\b(?:health|grpc_server|grpc_client)_[a-z_]+\b`)

// TestPromQL gives every query to promtool and looks up its metrics. Queries are separated by blank lines.
func TestPromQL(t *testing.T) {
	known := map[string]bool{}
	for _, f := range promvitals.Families() {
		name := f.GetName()
		known[name] = true
		if f.GetType().String() == "HISTOGRAM" {
			known[name+"_bucket"], known[name+"_sum"], known[name+"_count"] = true, true, true
		}
	}
	for _, b := range blocksOf(t, "promql") {
		var rules strings.Builder
		rules.WriteString("groups:\n- name: page\n  rules:\n")
		for i, query := range strings.Split(strings.TrimSpace(b.text), "\n\n") {
			fmt.Fprintf(&rules, "  - record: page:query%d\n    expr: |\n", i)
			for l := range strings.SplitSeq(query, "\n") {
				rules.WriteString("      " + l + "\n")
			}
			for _, name := range ourMetric.FindAllString(query, -1) {
				if !known[name] {
					t.Errorf("%s:%d: nobody exports %s", b.page, b.line, name)
				}
			}
		}
		if err := promtool(t, []byte(rules.String()), "check", "rules"); err != nil {
			t.Errorf("%s:%d: %v\n%s", b.page, b.line, err, rules.String())
		}
	}
}

func TestJSON(t *testing.T) {
	for _, b := range blocksOf(t, "json") {
		if !json.Valid([]byte(b.text)) {
			t.Errorf("%s:%d: this is no JSON", b.page, b.line)
		}
	}
}
