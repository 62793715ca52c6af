// Kubernetes writes the manifest of the inventory server to its standard output:
//
//	go run ./examples/kubernetes > manifest.yaml
//
// Probes, grace period and ConfigMap are derived from the settings below by the functions that the server reads them with.
// Contradictory settings are errors.
package main

import (
	"context"
	_ "embed"
	"fmt"
	"io"
	"os"
	"strings"
	"text/template"

	"sigs.k8s.io/yaml"

	"github.com/vitals-go/vitals"
	"github.com/vitals-go/vitals/checker"
	"github.com/vitals-go/vitals/probes/kubernetes"
)

// settings are the environment of the server.
var settings = []setting{
	{"INVENTORY_ADDR", ":50051"},
	{"PLUGIN_ENABLE_PROMETHEUS", "true"},
	{"PLUGIN_HEALTH_CHECK_INTERVAL", "10"},
	{"PLUGIN_HEALTH_CHECK_TIMEOUT", "2"},
	{"PLUGIN_HEALTH_DRAIN_DELAY", "5"},
	{"PLUGIN_HEALTH_FILE_PATH", ""}, // The file is not used, and the file system is read-only.
	{"PLUGIN_HEALTH_GRPC_ADDR", ":9090"},
	{"PLUGIN_HEALTH_HTTP_ADDR", ":8080"},
	{"PLUGIN_HEALTH_SHUTDOWN_TIMEOUT", "20"},
}

type setting struct{ Name, Value string }

// dependencies are what the server is not ready without.
var dependencies = []checker.Check{{Name: "database", Run: func(context.Context) error { return nil }}}

//go:embed manifest.yaml.tmpl
var text string

func main() {
	if err := write(os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func write(w io.Writer) error {
	pod, err := probes()
	if err != nil {
		return err
	}
	manifest, err := template.New("manifest").Funcs(template.FuncMap{"indent": indent}).Parse(text)
	if err != nil {
		return err
	}
	container, err := yaml.JSONToYAML(pod.Container())
	if err != nil {
		return err
	}
	return manifest.Execute(w, map[string]any{
		"Settings": settings, "GracePeriodSeconds": int(pod.GracePeriod().Seconds()), "Container": container,
	})
}

// probes reads the settings as the server does, and nothing of this program's own environment.
func probes() (*kubernetes.Pod, error) {
	os.Clearenv()
	for _, s := range settings {
		if err := os.Setenv(s.Name, s.Value); err != nil {
			return nil, err
		}
	}
	config, err := vitals.ConfigFromEnv()
	if err != nil {
		return nil, err
	}
	config.Dependencies = dependencies
	program, err := config.Kubernetes()
	if err != nil {
		return nil, err
	}
	return kubernetes.Probes(program)
}

// indent moves text to the right.
func indent(spaces int, text []byte) string {
	margin := strings.Repeat(" ", spaces)
	return margin + strings.ReplaceAll(strings.TrimRight(string(text), "\n"), "\n", "\n"+margin)
}
