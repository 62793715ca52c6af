package vitals

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/vitals-go/vitals/checker"
	"github.com/vitals-go/vitals/checker/resource"
)

// Variables that errors about a Config name as well.
const (
	intervalVariable      = "PLUGIN_HEALTH_CHECK_INTERVAL"
	timeoutVariable       = "PLUGIN_HEALTH_CHECK_TIMEOUT"
	filePathVariable      = "PLUGIN_HEALTH_FILE_PATH"
	httpAddrVariable      = "PLUGIN_HEALTH_HTTP_ADDR"
	grpcAddrVariable      = "PLUGIN_HEALTH_GRPC_ADDR"
	tlsCertVariable       = "PLUGIN_HEALTH_TLS_CERT"
	tlsKeyVariable        = "PLUGIN_HEALTH_TLS_KEY"
	tlsClientCAVariable   = "PLUGIN_HEALTH_TLS_CLIENT_CA"
	tlsClientAuthVariable = "PLUGIN_HEALTH_TLS_CLIENT_AUTH"
	tokenFileVariable     = "PLUGIN_HEALTH_DETAILS_TOKEN_FILE"
	overrideFileVariable  = "PLUGIN_OVERRIDE_FILE"
	terminationVariable   = "PLUGIN_TERMINATION_LOG"
)

const (
	// pluginVariable is set by HashiCorp's go-plugin for every plugin that it starts.
	pluginVariable = "PLUGIN_PROTOCOL_VERSIONS"
	// pidPlaceholder in a path stands for the process ID.
	pidPlaceholder = "{pid}"
)

// ConfigFromEnv returns the configuration of the process environment, with all defaults:
//
//	PLUGIN_HEALTH_CHECK_INTERVAL      30          from one run of a check to the next
//	PLUGIN_HEALTH_CHECK_TIMEOUT       5           for one run
//	PLUGIN_HEALTH_OPTIONAL_CHECKS     –           names, comma separated; when set, these and no others are optional
//	PLUGIN_RESOURCE_CPU_THRESHOLD     80          percent, critical above; warning above 0.8 of it
//	PLUGIN_RESOURCE_MEMORY_THRESHOLD  85
//	PLUGIN_RESOURCE_DISK_THRESHOLD    90
//	PLUGIN_RESOURCE_DISK_PATHS        /           filesystems to measure, comma separated
//	PLUGIN_RESOURCE_CPUS              –           limits that the process cannot see, such as those of an ECS task
//	PLUGIN_RESOURCE_MEMORY_BYTES      –
//	PLUGIN_HEALTH_HTTP_ADDR           :8080       probes, page and metrics; empty turns them off
//	PLUGIN_HEALTH_GRPC_ADDR           –           a second listener, for grpc.health.v1 only
//	PLUGIN_HEALTH_GRPC_PLAINTEXT      false       keeps that one without TLS, for a kubelet
//	PLUGIN_HEALTH_TLS_CERT            –           files for TLS on both of them, read again when they change
//	PLUGIN_HEALTH_TLS_KEY             –
//	PLUGIN_HEALTH_TLS_CLIENT_CA       –           authorities of client certificates
//	PLUGIN_HEALTH_TLS_CLIENT_AUTH     required    or optional: clients without one, such as a kubelet, may connect
//	PLUGIN_HEALTH_FILE_PATH           /tmp/health empty turns the file off
//	PLUGIN_ENABLE_PROMETHEUS          false
//	PLUGIN_HEALTH_DETAILS             never       which callers see error texts: never, local, certificate or always
//	PLUGIN_HEALTH_DETAILS_TOKEN_FILE  –           bearer tokens, one a line, whose holders see error texts too
//	PLUGIN_OVERRIDE_FILE              –           optional checks and maintenance for a time, read again when it changes
//	PLUGIN_TERMINATION_LOG            –           file for the causes of a failing liveness or an error at the end
//	PLUGIN_HEALTH_DRAIN_DELAY         5           how long to serve on after the drain begins; 0 is allowed
//	PLUGIN_HEALTH_SHUTDOWN_TIMEOUT    20          for calls in flight after that
//
// Plain numbers are seconds; Go durations such as 1m30s are valid too. {pid} in PLUGIN_HEALTH_FILE_PATH stands for the
// process ID. The error joins all mistakes, each naming its variable, also of files that cannot be used. New logs a warning
// for each other variable whose name begins with PLUGIN_HEALTH_ or PLUGIN_RESOURCE_. There is no variable for a token:
// child processes inherit variables, and crash reports show them. Beside it, New only looks whether go-plugin has started the
// process.
//
// A plugin of HashiCorp's go-plugin inherits the environment of its host, whose port and files it must not use. Where
// go-plugin's PLUGIN_PROTOCOL_VERSIONS is set, there are therefore no HTTP and gRPC listeners, no override file, no
// termination log and no drain delay, and a health file only if its path holds {pid}. To have them in a plugin, set the fields after ConfigFromEnv.
func ConfigFromEnv() (Config, error) { return configFrom(os.Environ()) }

// startedByPluginHost reports whether a host of go-plugin has started this process.
func startedByPluginHost() bool { return os.Getenv(pluginVariable) != "" }

func configFrom(environ []string) (Config, error) {
	e := environment{vars: map[string]string{}}
	for _, entry := range environ {
		name, value, _ := strings.Cut(entry, "=")
		e.vars[name] = value
	}
	var cfg Config
	e.config(&cfg)
	if _, plugin := e.vars[pluginVariable]; plugin {
		cfg.leaveListenersToHost()
	}
	cfg.FilePath = strings.ReplaceAll(cfg.FilePath, pidPlaceholder, strconv.Itoa(os.Getpid()))
	if cfg.DrainDelay == 0 {
		cfg.DrainDelay = -1 // a zero field means the default, the variable's zero means none
	}
	if err := errors.Join(append(e.errs, cfg.addressErrors(addressVariable), cfg.filesFromEnv())...); err != nil {
		return Config{}, err
	}
	cfg.unknownVariables, cfg.fromEnv = e.unknown(), e.fields(&cfg)
	return cfg, nil
}

// config sets cfg to the defaults, replaced by the variables that are set.
func (e *environment) config(cfg *Config) {
	*cfg = Config{
		CheckInterval:   30 * time.Second,
		CheckTimeout:    5 * time.Second,
		Resources:       resource.Config{CPU: checker.Above(80), Memory: checker.Above(85), Disk: checker.Above(90)},
		DrainDelay:      5 * time.Second,
		ShutdownTimeout: 20 * time.Second,
		HTTPAddr:        ":8080",
		FilePath:        "/tmp/health",
	}
	parse(e, intervalVariable, &cfg.CheckInterval, atLeast(minCheckInterval))
	parse(e, timeoutVariable, &cfg.CheckTimeout, atLeast(time.Millisecond))
	parse(e, "PLUGIN_HEALTH_OPTIONAL_CHECKS", &cfg.OptionalChecks, parseNames)
	parse(e, "PLUGIN_RESOURCE_CPU_THRESHOLD", &cfg.Resources.CPU, parsePercent)
	parse(e, "PLUGIN_RESOURCE_MEMORY_THRESHOLD", &cfg.Resources.Memory, parsePercent)
	parse(e, "PLUGIN_RESOURCE_DISK_THRESHOLD", &cfg.Resources.Disk, parsePercent)
	parse(e, "PLUGIN_RESOURCE_DISK_PATHS", &cfg.Resources.DiskPaths, parsePaths)
	parse(e, "PLUGIN_RESOURCE_CPUS", &cfg.Resources.CPUs, parseCPUs)
	parse(e, "PLUGIN_RESOURCE_MEMORY_BYTES", &cfg.Resources.MemoryBytes, parseBytes)
	e.text(httpAddrVariable, &cfg.HTTPAddr)
	e.text(grpcAddrVariable, &cfg.HealthGRPCAddr)
	parse(e, "PLUGIN_HEALTH_GRPC_PLAINTEXT", &cfg.HealthGRPCPlaintext, parseBool)
	e.text(tlsCertVariable, &cfg.TLS.Cert)
	e.text(tlsKeyVariable, &cfg.TLS.Key)
	e.text(tlsClientCAVariable, &cfg.TLS.ClientCA)
	parse(e, tlsClientAuthVariable, &cfg.TLS.ClientOptional, parseClientAuth)
	e.text(filePathVariable, &cfg.FilePath)
	parse(e, "PLUGIN_ENABLE_PROMETHEUS", &cfg.Prometheus, parseBool)
	parse(e, "PLUGIN_HEALTH_DETAILS", &cfg.Details.Policy, parseDetails)
	e.text(tokenFileVariable, &cfg.DetailsTokenFile)
	e.text(overrideFileVariable, &cfg.OverrideFile)
	e.text(terminationVariable, &cfg.TerminationLog)
	parse(e, "PLUGIN_HEALTH_DRAIN_DELAY", &cfg.DrainDelay, parseSeconds)
	parse(e, "PLUGIN_HEALTH_SHUTDOWN_TIMEOUT", &cfg.ShutdownTimeout, atLeast(time.Millisecond))
}

// environment collects what config reads.
type environment struct {
	vars  map[string]string
	known map[string]any // the field of each variable, as a pointer
	errs  []error
}

// fields returns the fields of cfg that variables have set, by their paths.
func (e *environment) fields(cfg *Config) map[string]fromVariable {
	fields := make(map[string]fromVariable)
	for name, to := range e.known {
		text, set := e.vars[name]
		path, found := cfg.path(to)
		if _, isText := to.(*string); set && found && (text != "" || isText) {
			fields[path] = fromVariable{name, text, reflect.ValueOf(to).Elem().Interface()}
		}
	}
	return fields
}

// parse sets to unless the variable is empty.
func parse[T any](e *environment, name string, to *T, parser func(string) (T, error)) {
	e.note(name, to)
	text := e.vars[name]
	if text == "" {
		return
	}
	value, err := parser(text)
	if err != nil {
		e.errs = append(e.errs, fmt.Errorf("%s: %w", name, err))
		return
	}
	*to = value
}

// text sets to if the variable is set; an empty address or path disables the endpoint.
func (e *environment) text(name string, to *string) {
	e.note(name, to)
	if value, set := e.vars[name]; set {
		*to = strings.TrimSpace(value)
	}
}

// note makes name known as the variable of a field.
func (e *environment) note(name string, to any) {
	if e.known == nil {
		e.known = make(map[string]any)
	}
	e.known[name] = to
}

// unknown returns the unknown variables with a prefix of this module, each with the known one nearest to it. They are
// no errors: environments are shared and inherited.
func (e *environment) unknown() (unknown [][2]string) {
	known := slices.Sorted(maps.Keys(e.known))
	for _, name := range slices.Sorted(maps.Keys(e.vars)) {
		ours := strings.HasPrefix(name, "PLUGIN_HEALTH_") || strings.HasPrefix(name, "PLUGIN_RESOURCE_")
		if ours && e.known[name] == nil {
			unknown = append(unknown, [2]string{name, slices.MinFunc(known, func(a, b string) int {
				return editDistance(name, a) - editDistance(name, b)
			})})
		}
	}
	return unknown
}

// editDistance returns the number of bytes to insert and delete that turn a into b.
func editDistance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			distance := min(row[j], row[j+1]) + 1
			if a[i] == b[j] {
				distance = diagonal
			}
			diagonal, row[j+1] = row[j+1], distance
		}
	}
	return row[len(b)]
}

// filesFromEnv reads the files that variables name, to report their errors before anything starts.
func (cfg *Config) filesFromEnv() error {
	var err error
	if cfg.TLS.wanted() && (cfg.HTTPAddr != "" || cfg.HealthGRPCAddr != "") {
		_, err = cfg.TLS.serverConfig(nil, tlsVariable)
	}
	return errors.Join(err, cfg.tokens(tokenFileVariable, nil))
}

// leaveListenersToHost removes what the host has opened because of the same variables.
func (cfg *Config) leaveListenersToHost() {
	cfg.HTTPAddr, cfg.HealthGRPCAddr, cfg.OverrideFile, cfg.TerminationLog, cfg.DrainDelay = "", "", "", "", 0
	if !strings.Contains(cfg.FilePath, pidPlaceholder) {
		cfg.FilePath = ""
	}
}
