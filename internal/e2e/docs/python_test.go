package docs_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"
)

// pythonNames are the classes, functions, methods, variables, values, endpoints and metrics of the Python document.
var pythonNames = strings.Fields(`
	HealthStatus SERVING NOT_SERVING SERVICE_UNKNOWN HealthCheckServicer service_status health_checkers register_health_checker
	set_service_status Check Watch _run_health_checker HealthyPluginServer plugin_server additional_services setup_health_checks
	_check_database _check_external_api start HealthMetric name value status message threshold last_updated HealthReport
	overall_status timestamp metrics uptime_seconds version add_metric healthy warning critical AdvancedHealthChecker start_time
	request_stats resource_thresholds cpu_percent memory_percent disk_usage_percent external_dependencies register_dependency
	get_comprehensive_health_report _check_system_resources cpu_usage memory_usage system_resources _check_application_metrics
	request_success_rate avg_response_time application_metrics _check_external_dependencies dependency_<name> available
	unavailable timeout error update_request_stats HealthAwareHandler GetHealthReport HealthReportResponse PluginHealthConfig
	PLUGIN_HEALTH_CHECK_INTERVAL PLUGIN_RESOURCE_CPU_THRESHOLD PLUGIN_RESOURCE_MEMORY_THRESHOLD PLUGIN_HEALTH_FILE_PATH
	PLUGIN_ENABLE_PROMETHEUS KubernetesHealthIntegration start_health_file_updater uptime KUBERNETES_PROBES
	PrometheusHealthMetrics record_health_check health_status health_checks_total health_check_duration_seconds
	get_prometheus_metrics TestHealthChecks create_production_health_setup /health /ready /metrics plugin.health`)

const fromPython = "docs/from-python.md"

// TestPythonNamesAreMapped requires each name of the Python document on the page.
func TestPythonNamesAreMapped(t *testing.T) {
	mapped := spans(read(t, fromPython))
	for _, name := range pythonNames {
		if !slices.Contains(mapped, name) {
			t.Errorf("%s does not map %s", fromPython, name)
		}
	}
}

// TestGoNamesOfMigrationsExist looks up what pages of migration name in the listing of the API, which another test compares
// with the code.
func TestGoNamesOfMigrationsExist(t *testing.T) {
	known, packages := map[string]bool{}, map[string]bool{}
	listed := regexp.MustCompile(`(?m)^go vitals(?:/[a-z]+)*?/?([a-z]+): (?:const|func|var|type|field|method) ([A-Za-z.]+)`)
	for _, found := range listed.FindAllStringSubmatch(strings.ReplaceAll(read(t, "internal/arch/testdata/api.txt"), "go vitals: ", "go vitals/vitals: "), -1) {
		known[found[1]+"."+found[2]], packages[found[1]] = true, true
	}
	qualified := regexp.MustCompile(`^([a-z]+)\.([A-Z][A-Za-z]*(?:\.[A-Z][A-Za-z]*)?)`)
	seen := 0
	for _, page := range []string{fromPython, "docs/migrating.md", "docs/versioning.md"} {
		for _, p := range readPages(t) {
			if p.path != page {
				continue
			}
			for _, l := range p.prose {
				for _, span := range spans(l.text) {
					found := qualified.FindStringSubmatch(span)
					if found == nil || !packages[found[1]] {
						continue
					}
					seen++
					if !known[found[1]+"."+found[2]] {
						t.Errorf("%s:%d: there is no %s.%s", page, l.number, found[1], found[2])
					}
				}
			}
		}
	}
	if seen < 30 {
		t.Fatalf("got %d names, want at least 30: the test does not see them", seen)
	}
}
