package vitals

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/vitals-go/vitals/checker"
	"github.com/vitals-go/vitals/checker/resource"
	"github.com/vitals-go/vitals/internal/pki/pkitest"
	"github.com/vitals-go/vitals/servicer"
)

func TestEmptyEnvironmentGivesDocumentedDefaults(t *testing.T) {
	want := Config{
		CheckInterval:   30 * time.Second,
		CheckTimeout:    5 * time.Second,
		Resources:       resource.Config{CPU: checker.Above(80), Memory: checker.Above(85), Disk: checker.Above(90)},
		HTTPAddr:        ":8080",
		FilePath:        "/tmp/health",
		DrainDelay:      5 * time.Second,
		ShutdownTimeout: 20 * time.Second,
	}
	got, err := configFrom(nil)
	if err != nil {
		t.Fatal(err)
	}
	want.fromEnv = map[string]fromVariable{}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func TestVariables(t *testing.T) {
	for _, tt := range []struct {
		variable string
		holds    func(Config) bool
	}{
		{"PLUGIN_HEALTH_CHECK_INTERVAL=10", func(c Config) bool { return c.CheckInterval == 10*time.Second }},
		{"PLUGIN_HEALTH_CHECK_INTERVAL=0.25", func(c Config) bool { return c.CheckInterval == 250*time.Millisecond }},
		{"PLUGIN_HEALTH_CHECK_INTERVAL=1m30s", func(c Config) bool { return c.CheckInterval == 90*time.Second }},
		{"PLUGIN_HEALTH_CHECK_INTERVAL= 10 ", func(c Config) bool { return c.CheckInterval == 10*time.Second }},
		{"PLUGIN_HEALTH_CHECK_INTERVAL=", func(c Config) bool { return c.CheckInterval == 30*time.Second }},
		{"PLUGIN_HEALTH_CHECK_TIMEOUT=2", func(c Config) bool { return c.CheckTimeout == 2*time.Second }},
		{"PLUGIN_RESOURCE_CPU_THRESHOLD=50", func(c Config) bool { return c.Resources.CPU == checker.Above(50) }},
		{"PLUGIN_RESOURCE_MEMORY_THRESHOLD=99.5", func(c Config) bool { return c.Resources.Memory == checker.Above(99.5) }},
		{"PLUGIN_RESOURCE_DISK_THRESHOLD=100", func(c Config) bool { return c.Resources.Disk == checker.Above(100) }},
		{"PLUGIN_RESOURCE_DISK_PATHS=/ , /data", func(c Config) bool { return slices.Equal(c.Resources.DiskPaths, []string{"/", "/data"}) }},
		{"PLUGIN_RESOURCE_DISK_PATHS=", func(c Config) bool { return c.Resources.DiskPaths == nil }},
		{"PLUGIN_RESOURCE_CPUS= 0.5", func(c Config) bool { return c.Resources.CPUs == 0.5 }},
		{"PLUGIN_RESOURCE_MEMORY_BYTES=536870912", func(c Config) bool { return c.Resources.MemoryBytes == 512<<20 }},
		{"PLUGIN_HEALTH_DRAIN_DELAY=0", func(c Config) bool { return c.DrainDelay < 0 }},
		{"PLUGIN_HEALTH_DRAIN_DELAY=2", func(c Config) bool { return c.DrainDelay == 2*time.Second }},
		{"PLUGIN_HEALTH_SHUTDOWN_TIMEOUT=1m", func(c Config) bool { return c.ShutdownTimeout == time.Minute }},
		{"PLUGIN_ENABLE_PROMETHEUS=true", func(c Config) bool { return c.Prometheus }},
		{"PLUGIN_ENABLE_PROMETHEUS=TRUE", func(c Config) bool { return c.Prometheus }},
		{"PLUGIN_ENABLE_PROMETHEUS=false", func(c Config) bool { return !c.Prometheus }},
		{"PLUGIN_HEALTH_DETAILS=local", func(c Config) bool { return c.Details.Policy == servicer.DetailsLocal }},
		{"PLUGIN_HEALTH_DETAILS=always", func(c Config) bool { return c.Details.Policy == servicer.DetailsAlways }},
		{"PLUGIN_HEALTH_OPTIONAL_CHECKS=a, b", func(c Config) bool { return reflect.DeepEqual(c.OptionalChecks, []string{"a", "b"}) }},
		{"PLUGIN_HEALTH_OPTIONAL_CHECKS=", func(c Config) bool { return c.OptionalChecks == nil }},
		{"PLUGIN_HEALTH_HTTP_ADDR=127.0.0.1:81", func(c Config) bool { return c.HTTPAddr == "127.0.0.1:81" }},
		{"PLUGIN_HEALTH_HTTP_ADDR=", func(c Config) bool { return c.HTTPAddr == "" }},
		{"PLUGIN_HEALTH_GRPC_ADDR=:9090", func(c Config) bool { return c.HealthGRPCAddr == ":9090" }},
		{"PLUGIN_HEALTH_FILE_PATH=/run/health", func(c Config) bool { return c.FilePath == "/run/health" }},
		{"PLUGIN_HEALTH_FILE_PATH=", func(c Config) bool { return c.FilePath == "" }},
		{"PLUGIN_HEALTH_DETAILS=certificate", func(c Config) bool { return c.Details.Policy == servicer.DetailsCertificate }},
		{"PLUGIN_TERMINATION_LOG=/dev/termination-log", func(c Config) bool { return c.TerminationLog == "/dev/termination-log" }},
		{"PLUGIN_OVERRIDE_FILE=/none/override.json", func(c Config) bool { return c.OverrideFile == "/none/override.json" }},
		{"PLUGIN_HEALTH_GRPC_PLAINTEXT=true", func(c Config) bool { return c.HealthGRPCPlaintext }},
		{"PLUGIN_HEALTH_TLS_CERT=", func(c Config) bool { return c.TLS == TLSFiles{} }},
		{"PLUGIN_HEALTH_TLS_CLIENT_AUTH=required", func(c Config) bool { return c.TLS == TLSFiles{} }},
		{"PLUGIN_HEALTH_DETAILS_TOKEN_FILE=", func(c Config) bool { return c.DetailsTokenFile == "" }},
		{"PLUGIN_SOMETHING_ELSE=30 apples", func(c Config) bool { return c.CheckInterval == 30*time.Second }},
	} {
		t.Run(tt.variable, func(t *testing.T) {
			cfg, err := configFrom([]string{tt.variable})
			if err != nil {
				t.Fatal(err)
			}
			if !tt.holds(cfg) {
				t.Errorf("got %+v", cfg)
			}
		})
	}
}

func TestInvalidValuesNameTheirVariable(t *testing.T) {
	garbage := []string{"NaN", "1e300", "Inf", "-Inf", "+inf", "30 apples", "abc", "1e400", "--1", "1,5"}
	times := append([]string{"-1", "-1s", "9e18", "9223372036", "2562047h", "1e-12"}, garbage...)
	addresses := []string{"8080", "localhost", ":", "127.0.0.1:", ":99999", ":-1", ":8o8o", "::1:80", "http://:8080", "ipv4:127.0.0.1:80", "unix:/run/x", "vsock:3:80"}
	percents := append([]string{"0", "-1", "100.1", "1e10", "5%"}, garbage...)
	for variable, values := range map[string][]string{
		"PLUGIN_HEALTH_CHECK_INTERVAL":     append(times, "0", "-0", "0s", "30us", "0.0001", "99ms", "0.0999"),
		"PLUGIN_HEALTH_CHECK_TIMEOUT":      append(times, "0", "0s", "30us"),
		"PLUGIN_HEALTH_HTTP_ADDR":          addresses,
		"PLUGIN_HEALTH_GRPC_ADDR":          addresses,
		"PLUGIN_HEALTH_SHUTDOWN_TIMEOUT":   append(times, "0", "0s"),
		"PLUGIN_HEALTH_DRAIN_DELAY":        times,
		"PLUGIN_RESOURCE_CPU_THRESHOLD":    percents,
		"PLUGIN_RESOURCE_MEMORY_THRESHOLD": percents,
		"PLUGIN_RESOURCE_DISK_THRESHOLD":   percents,
		"PLUGIN_RESOURCE_DISK_PATHS":       {"/,", ",", "/data,/,/data"},
		"PLUGIN_RESOURCE_CPUS":             {"0", "-1", "two", "NaN", "Inf"},
		"PLUGIN_RESOURCE_MEMORY_BYTES":     {"0", "-1", "512Mi", "1.5"},
		"PLUGIN_ENABLE_PROMETHEUS":         {"yes please", "2", "-1"},
		"PLUGIN_HEALTH_DETAILS":            {"sometimes", "Never!", "1"},
		"PLUGIN_HEALTH_OPTIONAL_CHECKS":    {",", "a,,b", "a,"},
		"PLUGIN_HEALTH_TLS_CLIENT_AUTH":    {"yes", "Optional", "none"},
		"PLUGIN_HEALTH_GRPC_PLAINTEXT":     {"yes please", "2", "-1"},
		"PLUGIN_HEALTH_DETAILS_TOKEN_FILE": {"/none/tokens"},
	} {
		for _, value := range values {
			cfg, err := configFrom([]string{variable + "=" + value})
			if err == nil {
				t.Errorf("%s=%s is accepted", variable, value)
				continue
			}
			if !strings.Contains(err.Error(), variable+":") {
				t.Errorf("%s=%s: the error does not name the variable: %v", variable, value, err)
			}
			if !strings.Contains(err.Error(), value) {
				t.Errorf("%s=%s: the error does not quote the value: %v", variable, value, err)
			}
			if !reflect.DeepEqual(cfg, Config{}) {
				t.Errorf("%s=%s: a configuration comes along with the error", variable, value)
			}
		}
	}
}

func TestEnvironmentErrorsAreJoined(t *testing.T) {
	_, err := configFrom([]string{
		"PLUGIN_HEALTH_CHECK_INTERVAL=-1", "PLUGIN_RESOURCE_CPU_THRESHOLD=NaN", "PLUGIN_ENABLE_PROMETHEUS=perhaps",
		"PLUGIN_HEALTH_HTTP_ADDR=8080", "PLUGIN_HEALTH_GRPC_ADDR=9090", "PLUGIN_HEALTH_TLS_KEY=/none/key", "PLUGIN_HEALTH_DETAILS_TOKEN_FILE=/none/tokens",
	})
	if err == nil {
		t.Fatal("accepted")
	}
	for _, variable := range []string{
		"PLUGIN_HEALTH_CHECK_INTERVAL", "PLUGIN_RESOURCE_CPU_THRESHOLD", "PLUGIN_ENABLE_PROMETHEUS",
		"PLUGIN_HEALTH_HTTP_ADDR", "PLUGIN_HEALTH_GRPC_ADDR", "PLUGIN_HEALTH_TLS_CERT", "PLUGIN_HEALTH_DETAILS_TOKEN_FILE",
	} {
		if !strings.Contains(err.Error(), variable) {
			t.Errorf("%s is missing in: %v", variable, err)
		}
	}
}

func TestNewWarnsAboutUnknownVariables(t *testing.T) {
	cfg, err := configFrom([]string{
		"PLUGIN_HEALTH_CHECK_INTERVALL=10", "PLUGIN_RESOURCE_MEM_THRESHOLD=50", "PLUGIN_HEALTH_HTTP_ADDR=", "PLUGIN_ENABLE_PROMETEUS=true",
	})
	if err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	cfg.Logger = slog.New(slog.NewTextHandler(&log, nil))
	if _, err := New(cfg); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"variable=PLUGIN_HEALTH_CHECK_INTERVALL vitals.nearest=PLUGIN_HEALTH_CHECK_INTERVAL\n",
		"variable=PLUGIN_RESOURCE_MEM_THRESHOLD vitals.nearest=PLUGIN_RESOURCE_MEMORY_THRESHOLD\n",
	} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("no %q in\n%s", want, &log)
		}
	}
	if n := strings.Count(log.String(), "unknown environment variable"); n != 2 {
		t.Errorf("got %d warnings, want 2:\n%s", n, &log)
	}
}

func TestFilesOfVariablesAreRead(t *testing.T) {
	a := pkitest.New(t)
	cert, key := a.Issue(t, "server")
	tokens := filepath.Join(a.Folder, "tokens")
	if err := os.WriteFile(tokens, []byte("correct-horse-battery-staple"), 0o600); err != nil {
		t.Fatal(err)
	}
	good := []string{
		"PLUGIN_HEALTH_TLS_CERT=" + cert, "PLUGIN_HEALTH_TLS_KEY= " + key + " ", "PLUGIN_HEALTH_TLS_CLIENT_CA=" + a.File,
		"PLUGIN_HEALTH_TLS_CLIENT_AUTH=optional", "PLUGIN_HEALTH_DETAILS_TOKEN_FILE=" + tokens,
	}
	cfg, err := configFrom(good)
	if err != nil || cfg.TLS != (TLSFiles{Cert: cert, Key: key, ClientCA: a.File, ClientOptional: true}) ||
		cfg.DetailsTokenFile != tokens || cfg.Details.Tokens != nil {
		t.Errorf("%+v, %v", cfg, err)
	}
	for name, tt := range map[string]struct {
		environ []string
		want    []string
	}{
		"missing": {
			[]string{"PLUGIN_HEALTH_TLS_CERT=/none/c", "PLUGIN_HEALTH_TLS_KEY=/none/k", "PLUGIN_HEALTH_TLS_CLIENT_CA=/none/a", "PLUGIN_HEALTH_DETAILS_TOKEN_FILE=/none/t"},
			[]string{"PLUGIN_HEALTH_TLS_CERT:", "/none/c", "PLUGIN_HEALTH_TLS_KEY:", "PLUGIN_HEALTH_TLS_CLIENT_CA:", "PLUGIN_HEALTH_DETAILS_TOKEN_FILE:"},
		},
		"key alone":       {[]string{"PLUGIN_HEALTH_TLS_KEY=" + key}, []string{"PLUGIN_HEALTH_TLS_CERT: certificate is required"}},
		"optional, alone": {[]string{"PLUGIN_HEALTH_TLS_CLIENT_AUTH=optional"}, []string{"PLUGIN_HEALTH_TLS_CLIENT_AUTH: has no effect", "PLUGIN_HEALTH_TLS_KEY: key is"}},
		"mismatch":        {[]string{"PLUGIN_HEALTH_TLS_CERT=" + a.File, "PLUGIN_HEALTH_TLS_KEY=" + key}, []string{"PLUGIN_HEALTH_TLS_CERT:", "does not match"}},
		"a key for a CA":  {append(slices.Clone(good), "PLUGIN_HEALTH_TLS_CLIENT_CA="+key), []string{"PLUGIN_HEALTH_TLS_CLIENT_CA:", "no certificate"}},
		"always":          {append(slices.Clone(good), "PLUGIN_HEALTH_DETAILS=always"), []string{"PLUGIN_HEALTH_DETAILS_TOKEN_FILE: has no effect"}},
	} {
		cfg, err := configFrom(tt.environ)
		for _, want := range tt.want {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v, want %q", name, err, want)
			}
		}
		if !reflect.DeepEqual(cfg, Config{}) {
			t.Errorf("%s: a configuration comes along with the error", name)
		}
	}
	if _, err := configFrom([]string{"PLUGIN_PROTOCOL_VERSIONS=1", "PLUGIN_HEALTH_TLS_CERT=/none/c"}); err != nil {
		t.Errorf("a plugin reads files for the doors of its host: %v", err)
	}
}

func FuzzVariables(f *testing.F) {
	for _, value := range []string{"30", "1m", "NaN", "-1", "9223372036854775807", "0x1p62", "", " ", "1_000"} {
		f.Add(value)
	}
	f.Fuzz(func(t *testing.T, value string) {
		cfg, err := configFrom([]string{
			"PLUGIN_HEALTH_CHECK_INTERVAL=" + value, "PLUGIN_HEALTH_DRAIN_DELAY=" + value, "PLUGIN_RESOURCE_CPU_THRESHOLD=" + value,
		})
		if err != nil {
			return
		}
		if cfg.CheckInterval <= 0 || cfg.DrainDelay == 0 || !(cfg.Resources.CPU.Value() > 0 && cfg.Resources.CPU.Value() <= 100) {
			t.Errorf("%q gives %+v", value, cfg)
		}
	})
}

func TestPluginOpensNoListeners(t *testing.T) {
	pid := strconv.Itoa(os.Getpid())
	for name, tt := range map[string]struct {
		environ          []string
		http, grpc, file string
		drain            time.Duration
	}{
		"the defaults of a server": {nil, ":8080", "", "/tmp/health", 5 * time.Second},
		"the defaults of a plugin": {[]string{"PLUGIN_PROTOCOL_VERSIONS=1"}, "", "", "", -1},
		"what the host has set": {[]string{
			"PLUGIN_PROTOCOL_VERSIONS=", "PLUGIN_HEALTH_HTTP_ADDR=:9000", "PLUGIN_HEALTH_GRPC_ADDR=:9001",
			"PLUGIN_HEALTH_FILE_PATH=/run/health", "PLUGIN_HEALTH_DRAIN_DELAY=7",
		}, "", "", "", -1},
		"a file for each process": {
			[]string{"PLUGIN_PROTOCOL_VERSIONS=1,2", "PLUGIN_HEALTH_FILE_PATH=/run/health-{pid}"}, "", "", "/run/health-" + pid, -1,
		},
		"a file for each server": {[]string{"PLUGIN_HEALTH_FILE_PATH=/run/{pid}"}, ":8080", "", "/run/" + pid, 5 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			cfg, err := configFrom(tt.environ)
			if err != nil {
				t.Fatal(err)
			}
			if cfg.HTTPAddr != tt.http || cfg.HealthGRPCAddr != tt.grpc || cfg.FilePath != tt.file || cfg.DrainDelay != tt.drain {
				t.Errorf("HTTP %q, gRPC %q, file %q, delay %v; want %q, %q, %q, %v", cfg.HTTPAddr, cfg.HealthGRPCAddr,
					cfg.FilePath, cfg.DrainDelay, tt.http, tt.grpc, tt.file, tt.drain)
			}
		})
	}
}
