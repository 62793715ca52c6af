package vitals_test

import (
	"context"
	"crypto/tls"
	"log/slog"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/vitals-go/vitals"
	"github.com/vitals-go/vitals/breaker"
	"github.com/vitals-go/vitals/checker"
	"github.com/vitals-go/vitals/internal/logtest"
	"github.com/vitals-go/vitals/internal/pki/pkitest"
	"github.com/vitals-go/vitals/servicer"
)

// The tables of this file and of mistakes_packages_test.go are what people get wrong, and what names it: an error, or a
// warning at start. Each want is part of it.

// created returns what New says about cfg: its error, or its warnings.
func created(t *testing.T, cfg vitals.Config) string {
	t.Helper()
	var log logtest.Log
	cfg.Logger = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelWarn}))
	if _, err := vitals.New(cfg); err != nil {
		return err.Error()
	}
	return log.String()
}

func TestMistakesInTheEnvironment(t *testing.T) {
	for _, entry := range os.Environ() {
		if name, value, _ := strings.Cut(entry, "="); strings.HasPrefix(name, "PLUGIN_") {
			t.Setenv(name, value) // restores it at the end
			if err := os.Unsetenv(name); err != nil {
				t.Fatal(err)
			}
		}
	}
	folder := t.TempDir()
	const unknown = `msg="unknown environment variable"`
	for variables, want := range map[string]string{
		// misspelt names
		"PLUGIN_HEALTH_CHECK_INTERVALL=10":    unknown + " vitals.logger=plugin.health vitals.variable=PLUGIN_HEALTH_CHECK_INTERVALL vitals.nearest=PLUGIN_HEALTH_CHECK_INTERVAL",
		"PLUGIN_HEALTH_INTERVAL=10":           "nearest=PLUGIN_HEALTH_CHECK_INTERVAL",
		"PLUGIN_HEALTH_TIMEOUT=10":            "nearest=PLUGIN_HEALTH_CHECK_TIMEOUT",
		"PLUGIN_HEALTH_HTTP_ADDRESS=:80":      "nearest=PLUGIN_HEALTH_HTTP_ADDR",
		"PLUGIN_HEALTH_HTTP_PORT=80":          "nearest=PLUGIN_HEALTH_HTTP_ADDR",
		"PLUGIN_HEALTH_GRPC_ADRR=:80":         "nearest=PLUGIN_HEALTH_GRPC_ADDR",
		"PLUGIN_HEALTH_FILEPATH=/run/x":       "nearest=PLUGIN_HEALTH_FILE_PATH",
		"PLUGIN_HEALTH_FILE=/run/x":           "nearest=PLUGIN_HEALTH_FILE_PATH",
		"PLUGIN_RESOURCE_CPU_TRESHOLD=80":     "nearest=PLUGIN_RESOURCE_CPU_THRESHOLD",
		"PLUGIN_RESOURCE_CPU=80":              "nearest=PLUGIN_RESOURCE_CPUS",
		"PLUGIN_RESOURCE_MEM_THRESHOLD=80":    "nearest=PLUGIN_RESOURCE_MEMORY_THRESHOLD",
		"PLUGIN_RESOURCE_DISK_PATH=/":         "nearest=PLUGIN_RESOURCE_DISK_PATHS",
		"PLUGIN_HEALTH_DRAINDELAY=1":          "nearest=PLUGIN_HEALTH_DRAIN_DELAY",
		"PLUGIN_HEALTH_DETAIL=always":         "nearest=PLUGIN_HEALTH_DETAILS",
		"PLUGIN_HEALTH_TLS_CERTIFICATE=x.pem": "nearest=PLUGIN_HEALTH_TLS_CERT",
		"PLUGIN_HEALTH_OPTIONAL=cache":        "nearest=PLUGIN_HEALTH_OPTIONAL_CHECKS",
		// times
		"PLUGIN_HEALTH_CHECK_INTERVAL=30 s":           `PLUGIN_HEALTH_CHECK_INTERVAL: got "30 s", want a number of seconds or a duration such as 1m30s`,
		"PLUGIN_HEALTH_CHECK_INTERVAL=30sec":          "PLUGIN_HEALTH_CHECK_INTERVAL: got",
		"PLUGIN_HEALTH_CHECK_INTERVAL=0":              "PLUGIN_HEALTH_CHECK_INTERVAL: got \"0\", want at least 100ms",
		"PLUGIN_HEALTH_CHECK_INTERVAL=1ms":            "want at least 100ms",
		"PLUGIN_HEALTH_CHECK_INTERVAL=-30":            "PLUGIN_HEALTH_CHECK_INTERVAL: got",
		"PLUGIN_HEALTH_CHECK_INTERVAL=∞":              "PLUGIN_HEALTH_CHECK_INTERVAL: got",
		"PLUGIN_HEALTH_CHECK_INTERVAL=1,5":            "PLUGIN_HEALTH_CHECK_INTERVAL: got",
		"PLUGIN_HEALTH_CHECK_TIMEOUT=5 seconds":       "PLUGIN_HEALTH_CHECK_TIMEOUT: got",
		"PLUGIN_HEALTH_CHECK_TIMEOUT=0":               "PLUGIN_HEALTH_CHECK_TIMEOUT: got",
		"PLUGIN_HEALTH_CHECK_TIMEOUT=9e99":            "PLUGIN_HEALTH_CHECK_TIMEOUT: got",
		"PLUGIN_HEALTH_DRAIN_DELAY=-1":                `PLUGIN_HEALTH_DRAIN_DELAY: got "-1", want no negative duration`,
		"PLUGIN_HEALTH_DRAIN_DELAY=five":              "PLUGIN_HEALTH_DRAIN_DELAY: got",
		"PLUGIN_HEALTH_SHUTDOWN_TIMEOUT=0":            "PLUGIN_HEALTH_SHUTDOWN_TIMEOUT: got",
		"PLUGIN_HEALTH_SHUTDOWN_TIMEOUT=20000000000s": "PLUGIN_HEALTH_SHUTDOWN_TIMEOUT: got",
		// limits
		"PLUGIN_RESOURCE_CPU_THRESHOLD=0.8":        `setting is probably a mistake" vitals.logger=plugin.health vitals.setting="Resources.CPU (PLUGIN_RESOURCE_CPU_THRESHOLD)" vitals.text="got 0.8 %; want a percentage such as 80"`,
		"PLUGIN_RESOURCE_MEMORY_THRESHOLD=0.85":    "PLUGIN_RESOURCE_MEMORY_THRESHOLD",
		"PLUGIN_RESOURCE_DISK_THRESHOLD=1":         "PLUGIN_RESOURCE_DISK_THRESHOLD",
		"PLUGIN_RESOURCE_CPU_THRESHOLD=80%":        `PLUGIN_RESOURCE_CPU_THRESHOLD: got "80%", want a percentage`,
		"PLUGIN_RESOURCE_CPU_THRESHOLD=0":          "PLUGIN_RESOURCE_CPU_THRESHOLD: got",
		"PLUGIN_RESOURCE_CPU_THRESHOLD=150":        "PLUGIN_RESOURCE_CPU_THRESHOLD: got",
		"PLUGIN_RESOURCE_MEMORY_THRESHOLD=512Mi":   "PLUGIN_RESOURCE_MEMORY_THRESHOLD: got",
		"PLUGIN_RESOURCE_DISK_THRESHOLD=-5":        "PLUGIN_RESOURCE_DISK_THRESHOLD: got",
		"PLUGIN_RESOURCE_DISK_PATHS=/,/data,/":     "PLUGIN_RESOURCE_DISK_PATHS: got",
		"PLUGIN_RESOURCE_DISK_PATHS=/,,/data":      "PLUGIN_RESOURCE_DISK_PATHS: got",
		"PLUGIN_RESOURCE_CPUS=500m":                `PLUGIN_RESOURCE_CPUS: got "500m", want a number of CPUs above 0, such as 0.5`,
		"PLUGIN_RESOURCE_CPUS=0":                   "PLUGIN_RESOURCE_CPUS: got",
		"PLUGIN_RESOURCE_MEMORY_BYTES=512Mi":       `PLUGIN_RESOURCE_MEMORY_BYTES: got "512Mi", want a number of bytes above 0`,
		"PLUGIN_RESOURCE_MEMORY_BYTES=-1":          "PLUGIN_RESOURCE_MEMORY_BYTES: got",
		"PLUGIN_HEALTH_OPTIONAL_CHECKS=databse":    `PLUGIN_HEALTH_OPTIONAL_CHECKS): unknown dependency ["databse"]`,
		"PLUGIN_HEALTH_OPTIONAL_CHECKS=cache,,api": "PLUGIN_HEALTH_OPTIONAL_CHECKS: got",
		// addresses and paths
		"PLUGIN_HEALTH_HTTP_ADDR=8080":                  `PLUGIN_HEALTH_HTTP_ADDR: invalid address "8080": want host:port, such as ":8080"`,
		"PLUGIN_HEALTH_HTTP_ADDR=http://localhost:8080": "PLUGIN_HEALTH_HTTP_ADDR: invalid address",
		"PLUGIN_HEALTH_HTTP_ADDR=:http:":                "PLUGIN_HEALTH_HTTP_ADDR: invalid address",
		"PLUGIN_HEALTH_HTTP_ADDR=:99999":                "PLUGIN_HEALTH_HTTP_ADDR: invalid address",
		"PLUGIN_HEALTH_GRPC_ADDR=localhost":             "PLUGIN_HEALTH_GRPC_ADDR: invalid address",
		"PLUGIN_HEALTH_GRPC_ADDR=unix:///run/x":         "PLUGIN_HEALTH_GRPC_ADDR: invalid address",
		"PLUGIN_HEALTH_FILE_PATH=" + folder:             "PLUGIN_HEALTH_FILE_PATH): probes: FileConfig.Path: got",
		"PLUGIN_HEALTH_FILE_PATH=/":                     "PLUGIN_HEALTH_FILE_PATH)",
		"PLUGIN_HEALTH_FILE_PATH=.":                     "PLUGIN_HEALTH_FILE_PATH)",
		// choices
		"PLUGIN_ENABLE_PROMETHEUS=yes":               `PLUGIN_ENABLE_PROMETHEUS: got "yes", want true or false`,
		"PLUGIN_ENABLE_PROMETHEUS=on":                "PLUGIN_ENABLE_PROMETHEUS: got",
		"PLUGIN_HEALTH_GRPC_PLAINTEXT=si":            "PLUGIN_HEALTH_GRPC_PLAINTEXT: got",
		"PLUGIN_HEALTH_DETAILS=true":                 "PLUGIN_HEALTH_DETAILS: servicer: unknown details policy \"true\"; have never, local, always, certificate",
		"PLUGIN_HEALTH_DETAILS=cert":                 "PLUGIN_HEALTH_DETAILS: ",
		"PLUGIN_HEALTH_DETAILS=certificate":          "HTTP callers cannot present a certificate without TLS.ClientCA (PLUGIN_HEALTH_TLS_CLIENT_CA)",
		"PLUGIN_HEALTH_TLS_CLIENT_AUTH=request":      `PLUGIN_HEALTH_TLS_CLIENT_AUTH: got "request", want required or optional`,
		"PLUGIN_HEALTH_TLS_CLIENT_AUTH=optional":     "PLUGIN_HEALTH_TLS_CLIENT_AUTH: has no effect without ClientCA (PLUGIN_HEALTH_TLS_CLIENT_CA)",
		"PLUGIN_HEALTH_TLS_CERT=/none.pem":           "PLUGIN_HEALTH_TLS_CERT",
		"PLUGIN_HEALTH_TLS_KEY=/none.pem":            "PLUGIN_HEALTH_TLS_",
		"PLUGIN_HEALTH_TLS_CLIENT_CA=/none.pem":      "PLUGIN_HEALTH_TLS_C",
		"PLUGIN_HEALTH_DETAILS_TOKEN_FILE=/none":     "PLUGIN_HEALTH_DETAILS_TOKEN_FILE: bearer: File",
		"PLUGIN_HEALTH_DETAILS_TOKEN_FILE=" + folder: "PLUGIN_HEALTH_DETAILS_TOKEN_FILE: bearer: File",
		// what is off
		"PLUGIN_ENABLE_PROMETHEUS=true PLUGIN_HEALTH_HTTP_ADDR=": "HTTPAddr (PLUGIN_HEALTH_HTTP_ADDR) is empty: /metrics is where Handler is mounted",
		// all at once
		"PLUGIN_HEALTH_CHECK_INTERVAL=a PLUGIN_ENABLE_PROMETHEUS=b": "PLUGIN_ENABLE_PROMETHEUS: got",
		"PLUGIN_ENABLE_PROMETHEUS=b PLUGIN_HEALTH_CHECK_INTERVAL=a": "PLUGIN_HEALTH_CHECK_INTERVAL: got",
	} {
		t.Run(variables, func(t *testing.T) {
			for variable := range strings.SplitSeq(variables, " PLUGIN") {
				name, value, _ := strings.Cut(variable, "=")
				if !strings.HasPrefix(name, "PLUGIN") {
					name = "PLUGIN" + name
				}
				t.Setenv(name, value)
			}
			cfg, err := vitals.ConfigFromEnv()
			got := created(t, cfg)
			if err != nil {
				got = err.Error()
			}
			if !strings.Contains(got, want) {
				t.Errorf("got %q, want %q in it", got, want)
			}
		})
	}
}

func TestMistakesInTheConfig(t *testing.T) {
	folder := t.TempDir()
	cert, key := pkitest.New(t).Issue(t, "localhost")
	check := checker.Check{Name: "database", Run: func(context.Context) error { return nil }}
	b, err := breaker.New(breaker.Config{Name: "database"})
	if err != nil {
		t.Fatal(err)
	}
	with := func(change func(*checker.Check)) []checker.Check {
		c := check
		change(&c)
		return []checker.Check{c}
	}
	for name, test := range map[string]struct {
		change func(*vitals.Config)
		want   string
	}{
		"interval of 30":               {func(c *vitals.Config) { c.CheckInterval = 30 }, "vitals: CheckInterval (PLUGIN_HEALTH_CHECK_INTERVAL): got 30ns, want 100ms"},
		"negative interval":            {func(c *vitals.Config) { c.CheckInterval = -time.Second }, "vitals: CheckInterval"},
		"endless interval":             {func(c *vitals.Config) { c.CheckInterval = math.MaxInt64 }, "vitals: CheckInterval"},
		"timeout of 5":                 {func(c *vitals.Config) { c.CheckTimeout = 5 }, "vitals: CheckTimeout (PLUGIN_HEALTH_CHECK_TIMEOUT): got 5ns, want 1ms"},
		"drain delay of 5":             {func(c *vitals.Config) { c.DrainDelay = 5 }, `setting=DrainDelay vitals.text="got 5ns; want a time.Duration, such as 5 * time.Second"`},
		"shutdown timeout of 20":       {func(c *vitals.Config) { c.ShutdownTimeout = 20 }, "setting=ShutdownTimeout"},
		"latency limit of 500":         {func(c *vitals.Config) { c.Requests.LatencyCritical, c.Requests.LatencyWarning = 500, 300 }, "setting=Requests.LatencyCritical"},
		"stuck after 30":               {func(c *vitals.Config) { c.Requests.StuckAfter = 30 }, "setting=Requests.StuckAfter"},
		"window of 60":                 {func(c *vitals.Config) { c.Recorder.Window = 60 }, "interceptor: Window: got 60ns, want"},
		"CPU limit as a share":         {func(c *vitals.Config) { c.Resources.CPU = checker.Above(0.8) }, "want a percentage such as 80"},
		"memory limit as a share":      {func(c *vitals.Config) { c.Resources.Memory = checker.Above(0.9) }, "want a percentage such as 90"},
		"disk limit as a share":        {func(c *vitals.Config) { c.Resources.Disk = checker.Above(1) }, "want a percentage such as 100"},
		"CPU limit from below":         {func(c *vitals.Config) { c.Resources.CPU = checker.Below(20) }, "resource: CPU: got below 20, want checker.Above a percentage from 0 to 100"},
		"CPU limit above 100":          {func(c *vitals.Config) { c.Resources.CPU = checker.Above(120) }, "resource: CPU: got above 120"},
		"CPU limit NaN":                {func(c *vitals.Config) { c.Resources.CPU = checker.Above(math.NaN()) }, "resource: CPU: got above NaN"},
		"negative CPUs":                {func(c *vitals.Config) { c.Resources.CPUs = -1 }, "resource: CPUs: got -1, want 0 or more"},
		"negative resource interval":   {func(c *vitals.Config) { c.Resources.Interval = -1 }, "resource: Interval: got"},
		"negative resource timeout":    {func(c *vitals.Config) { c.Resources.Timeout = -1 }, "resource: Timeout: got"},
		"empty disk path":              {func(c *vitals.Config) { c.Resources.DiskPaths = []string{""} }, "resource: DiskPaths[0]: empty path"},
		"disk path twice":              {func(c *vitals.Config) { c.Resources.DiskPaths = []string{"/", "/"} }, `resource: DiskPaths[1]: "/" is listed twice`},
		"limit of an unknown resource": {func(c *vitals.Config) { c.Resources.Limits = map[string]checker.Limit{"cpu": checker.Above(1)} }, `resource: Limits: unknown check "cpu"; have`},
		"success rate as a share":      {func(c *vitals.Config) { c.Requests.SuccessCritical = 0.95 }, `setting=Requests.SuccessCritical vitals.text="got 0.95 %; want a percentage such as 95"`},
		"warning rate as a share":      {func(c *vitals.Config) { c.Requests.SuccessCritical, c.Requests.SuccessWarning = 0.95, 0.98 }, "setting=Requests.SuccessWarning"},
		"success rate above 100":       {func(c *vitals.Config) { c.Requests.SuccessCritical = 950 }, "servicer: Requests.SuccessCritical: got 950, want at most 100"},
		"success rates crossed":        {func(c *vitals.Config) { c.Requests.SuccessCritical, c.Requests.SuccessWarning = 99, 98 }, "servicer: Requests.SuccessCritical: got 99, which is above SuccessWarning"},
		"latencies crossed": {func(c *vitals.Config) {
			c.Requests.LatencyWarning, c.Requests.LatencyCritical = time.Minute, time.Second
		}, "servicer: Requests.LatencyWarning: got 1m0s, which is above LatencyCritical"},
		"negative sample":             {func(c *vitals.Config) { c.Requests.MinSample = -1 }, "servicer: Requests.MinSample: got -1, want 0 or more"},
		"stuck calls gate startup":    {func(c *vitals.Config) { c.Requests.StuckGates = []string{"startup"} }, `servicer: Requests.StuckGates: got "startup"`},
		"check without name":          {func(c *vitals.Config) { c.Dependencies = with(func(c *checker.Check) { c.Name = "" }) }, `checker: check "": Name is required`},
		"check with a reserved name":  {func(c *vitals.Config) { c.Dependencies = with(func(c *checker.Check) { c.Name = "readiness" }) }, `checker: check "readiness": Name: "readiness" is reserved`},
		"check without function":      {func(c *vitals.Config) { c.Dependencies = with(func(c *checker.Check) { c.Run = nil }) }, `checker: check "database": Run: want exactly one of Run, Measure and TTL`},
		"check with a share":          {func(c *vitals.Config) { c.Dependencies = with(func(c *checker.Check) { c.SlowShare = 80 }) }, `checker: check "database": SlowShare: got 80, want at most 1`},
		"check twice":                 {func(c *vitals.Config) { c.Dependencies = []checker.Check{check, check} }, `checker: check "database": Name is used twice`},
		"check in both lists":         {func(c *vitals.Config) { c.Dependencies, c.Checks = []checker.Check{check}, []checker.Check{check} }, `"database": Name is used twice`},
		"check named like a resource": {func(c *vitals.Config) { c.Checks = with(func(c *checker.Check) { c.Name = "cpu_usage" }) }, `"cpu_usage"`},
		"optional check that gates": {func(c *vitals.Config) {
			c.Dependencies = with(func(c *checker.Check) { c.Optional, c.Gates = true, []string{"readiness"} })
		}, "Gates: an Optional check gates nothing"},
		"gate listed twice": {func(c *vitals.Config) { c.Dependencies = with(func(c *checker.Check) { c.Gates = []string{"a", "a"} }) }, `Gates: "a" is listed twice`},
		"empty gate":        {func(c *vitals.Config) { c.Dependencies = with(func(c *checker.Check) { c.Gates = []string{""} }) }, `Gates: empty name, want "readiness"`},
		"unknown cause": {func(c *vitals.Config) {
			c.Dependencies = with(func(c *checker.Check) { c.DependsOn = []string{"network"} })
		}, `DependsOn: unknown check "network"`},
		"cause of itself": {func(c *vitals.Config) {
			c.Dependencies = with(func(c *checker.Check) { c.DependsOn = []string{"database"} })
		}, `DependsOn: "database" depends on it`},
		"unknown optional check":  {func(c *vitals.Config) { c.OptionalChecks = []string{"cache"} }, `vitals: OptionalChecks (PLUGIN_HEALTH_OPTIONAL_CHECKS): unknown dependency ["cache"]`},
		"nil breaker":             {func(c *vitals.Config) { c.Breakers = []breaker.SnapshotSource{nil} }, "servicer: Breakers: got nil at index 0"},
		"breaker twice":           {func(c *vitals.Config) { c.Breakers = []breaker.SnapshotSource{b, b} }, "servicer: Breakers[1] is the same source as Breakers[0]"},
		"address without port":    {func(c *vitals.Config) { c.HTTPAddr = "localhost" }, `HTTPAddr (PLUGIN_HEALTH_HTTP_ADDR): invalid address "localhost": want host:port`},
		"port without colon":      {func(c *vitals.Config) { c.HealthGRPCAddr = "9090" }, "HealthGRPCAddr (PLUGIN_HEALTH_GRPC_ADDR): invalid address"},
		"file is a folder":        {func(c *vitals.Config) { c.FilePath = folder }, "vitals: FilePath (PLUGIN_HEALTH_FILE_PATH): probes: FileConfig.Path: got"},
		"certificate without key": {func(c *vitals.Config) { c.HTTPAddr, c.TLS.Cert = ":0", "/none.pem" }, "TLS.Cert"},
		"TLS without listener":    {func(c *vitals.Config) { c.TLS = vitals.TLSFiles{Cert: cert, Key: key} }, "there is no listener for it: HTTPAddr (PLUGIN_HEALTH_HTTP_ADDR)"},
		"TLS and plaintext": {func(c *vitals.Config) {
			c.HealthGRPCPlaintext, c.HealthGRPCTLS = true, &tls.Config{MinVersion: tls.VersionTLS12}
		}, "vitals: HealthGRPCTLS and HealthGRPCPlaintext: only one can be set"},
		"TLS without certificate":    {func(c *vitals.Config) { c.HTTPTLS = &tls.Config{MinVersion: tls.VersionTLS12} }, "vitals: HTTPTLS: no certificate"},
		"optional without client CA": {func(c *vitals.Config) { c.HTTPAddr, c.TLS.ClientOptional = ":0", true }, "ClientOptional"},
		"details by certificate":     {func(c *vitals.Config) { c.HTTPAddr, c.Details.Policy = ":0", servicer.DetailsCertificate }, "Details.Policy (PLUGIN_HEALTH_DETAILS)"},
		"unknown details policy":     {func(c *vitals.Config) { c.Details.Policy = 9 }, "servicer: Details.Policy: got 9, want never, local, always or certificate"},
		"token file is missing":      {func(c *vitals.Config) { c.DetailsTokenFile = filepath.Join(folder, "none") }, "vitals: DetailsTokenFile (PLUGIN_HEALTH_DETAILS_TOKEN_FILE): bearer: File"},
		"metrics without HTTP":       {func(c *vitals.Config) { c.Prometheus = true }, "Prometheus (PLUGIN_ENABLE_PROMETHEUS)"},
		"buckets in milliseconds":    {func(c *vitals.Config) { c.Prometheus, c.Metrics.Buckets = true, []float64{5, 100, 5000} }, "promvitals: Buckets[2]: got 5000, want at most"},
		"buckets out of order":       {func(c *vitals.Config) { c.Prometheus, c.Metrics.Buckets = true, []float64{1, 0.5} }, "promvitals: Buckets[1]: got 0.5 after 1"},
		"field that New sets":        {func(c *vitals.Config) { c.Server.Version = "1" }, "vitals: Server.Version: New sets it, from Config"},
		"reserved service":           {func(c *vitals.Config) { c.Server.Services = []string{"liveness"} }, `servicer: Services: "liveness" is reserved for a probe`},
		"service twice":              {func(c *vitals.Config) { c.Server.Services = []string{"a", "a"} }, `servicer: Services: "a" is listed twice`},
		"reason that serves":         {func(c *vitals.Config) { c.Server.RejectFor = []checker.Reason{checker.ReasonOK} }, "servicer: RejectFor: ok keeps no name from serving"},
		"negative publish interval":  {func(c *vitals.Config) { c.Server.MinPublishInterval = -1 }, "servicer: MinPublishInterval: got"},
		"load of no calls":           {func(c *vitals.Config) { c.LoadReports, c.Load.MaxInFlight = true, -1 }, "orcavitals: "},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := vitals.Config{Resources: unjudged()}
			if strings.Contains(name, "limit") || strings.Contains(name, "resource") {
				cfg.Resources.Limits = nil
			}
			test.change(&cfg)
			if got := created(t, cfg); !strings.Contains(got, test.want) {
				t.Errorf("got %q, want %q in it", got, test.want)
			}
		})
	}
	if got := created(t, vitals.Config{Resources: unjudged(), HTTPAddr: ":0", Prometheus: true}); got != "" {
		t.Errorf("a valid Config has a warning: %s", got)
	}
}
