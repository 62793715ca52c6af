package vitals

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/caarlos0/env/v11"

	"github.com/vitals-go/vitals/checker"
	"github.com/vitals-go/vitals/checker/resource"
	"github.com/vitals-go/vitals/servicer"
)

// environment mirrors the variables one to one. Its fields hold the defaults before parsing, because an empty
// variable leaves a field as it is.
type environment struct {
	CheckInterval   period                 `env:"PLUGIN_HEALTH_CHECK_INTERVAL"`
	CheckTimeout    period                 `env:"PLUGIN_HEALTH_CHECK_TIMEOUT"`
	CPUThreshold    percent                `env:"PLUGIN_RESOURCE_CPU_THRESHOLD"`
	MemoryThreshold percent                `env:"PLUGIN_RESOURCE_MEMORY_THRESHOLD"`
	DiskThreshold   percent                `env:"PLUGIN_RESOURCE_DISK_THRESHOLD"`
	DrainDelay      pause                  `env:"PLUGIN_HEALTH_DRAIN_DELAY"`
	ShutdownTimeout period                 `env:"PLUGIN_HEALTH_SHUTDOWN_TIMEOUT"`
	Prometheus      flag                   `env:"PLUGIN_ENABLE_PROMETHEUS"`
	Details         servicer.DetailsPolicy `env:"PLUGIN_HEALTH_DETAILS"`
	OptionalChecks  names                  `env:"PLUGIN_HEALTH_OPTIONAL_CHECKS"`
	ClientAuth      clientAuth             `env:"PLUGIN_HEALTH_TLS_CLIENT_AUTH"`
	GRPCPlaintext   flag                   `env:"PLUGIN_HEALTH_GRPC_PLAINTEXT"`
}

// Variables whose empty value has a meaning of its own: it turns the door off.
const (
	filePathVariable = "PLUGIN_HEALTH_FILE_PATH"
	httpAddrVariable = "PLUGIN_HEALTH_HTTP_ADDR"
	grpcAddrVariable = "PLUGIN_HEALTH_GRPC_ADDR"
)

// Variables that name files.
const (
	tlsCertVariable     = "PLUGIN_HEALTH_TLS_CERT"
	tlsKeyVariable      = "PLUGIN_HEALTH_TLS_KEY"
	tlsClientCAVariable = "PLUGIN_HEALTH_TLS_CLIENT_CA"
	tokenFileVariable   = "PLUGIN_HEALTH_DETAILS_TOKEN_FILE"
)

// tlsClientAuthVariable is required or optional.
const tlsClientAuthVariable = "PLUGIN_HEALTH_TLS_CLIENT_AUTH"

const (
	// pluginVariable is what HashiCorp's go-plugin sets for every plugin that it starts.
	pluginVariable = "PLUGIN_PROTOCOL_VERSIONS"
	// pidPlaceholder in a path stands for the number of the process.
	pidPlaceholder = "{pid}"
)

// ConfigFromEnv returns the configuration that the process environment asks for, with every default filled in:
//
//	PLUGIN_HEALTH_CHECK_INTERVAL      30          from one run of a check to the next
//	PLUGIN_HEALTH_CHECK_TIMEOUT       5           for one run
//	PLUGIN_HEALTH_OPTIONAL_CHECKS     –           names, comma separated; when set, these and no others are optional
//	PLUGIN_RESOURCE_CPU_THRESHOLD     80          percent, critical above; warning above 0.8 of it
//	PLUGIN_RESOURCE_MEMORY_THRESHOLD  85
//	PLUGIN_RESOURCE_DISK_THRESHOLD    90
//	PLUGIN_HEALTH_HTTP_ADDR           :8080       probes, page and metrics; empty turns them off
//	PLUGIN_HEALTH_GRPC_ADDR           –           a second listener, for grpc.health.v1 only
//	PLUGIN_HEALTH_GRPC_PLAINTEXT      false       keeps that one without TLS, for a kubelet
//	PLUGIN_HEALTH_TLS_CERT            –           files for TLS on both of them, read again when they change
//	PLUGIN_HEALTH_TLS_KEY             –
//	PLUGIN_HEALTH_TLS_CLIENT_CA       –           authorities whose certificate clients must show
//	PLUGIN_HEALTH_TLS_CLIENT_AUTH     required    or optional: clients without one, such as a kubelet, are let in too
//	PLUGIN_HEALTH_FILE_PATH           /tmp/health empty turns the file off
//	PLUGIN_ENABLE_PROMETHEUS          false
//	PLUGIN_HEALTH_DETAILS             never       who sees error texts: never, local, certificate or always
//	PLUGIN_HEALTH_DETAILS_TOKEN_FILE  –           bearer tokens, one a line; callers who show one see error texts too
//	PLUGIN_HEALTH_DRAIN_DELAY         5           serving goes on this long after the drain begins; 0 is allowed
//	PLUGIN_HEALTH_SHUTDOWN_TIMEOUT    20          for calls in flight after that
//
// Plain numbers are seconds; Go durations such as 1m30s work too. Every mistake is reported at once, each by its
// variable's name; files are read, so that a wrong one is a mistake here. It is the only place in the module that reads
// the environment.
//
// There is no variable for a token itself: child processes inherit variables, and crash reports show them.
//
// {pid} in PLUGIN_HEALTH_FILE_PATH stands for the process ID.
//
// A plugin of HashiCorp's go-plugin inherits its host's environment, and would fight with the host and with other
// plugins for one port and one file. Where go-plugin's PLUGIN_PROTOCOL_VERSIONS is set, the doors HTTP and GRPC are
// therefore closed whatever the variables say, the file is written only if its path holds {pid}, and nothing waits for
// load balancers before the end. A plugin that wants a door of its own sets the field after ConfigFromEnv.
func ConfigFromEnv() (Config, error) { return configFrom(os.Environ()) }

func configFrom(environ []string) (Config, error) {
	vars := env.ToMap(environ)
	e := environment{
		CheckInterval:   period(30 * time.Second),
		CheckTimeout:    period(5 * time.Second),
		CPUThreshold:    80,
		MemoryThreshold: 85,
		DiskThreshold:   90,
		DrainDelay:      pause(5 * time.Second),
		ShutdownTimeout: period(20 * time.Second),
	}
	mistakes := named(env.ParseWithOptions(&e, env.Options{Environment: vars}))
	cfg := e.config(vars)
	if _, plugin := vars[pluginVariable]; plugin {
		cfg.leaveDoorsToHost()
	}
	cfg.FilePath = strings.ReplaceAll(cfg.FilePath, pidPlaceholder, strconv.Itoa(os.Getpid()))
	if cfg.DrainDelay == 0 {
		cfg.DrainDelay = -1 // a zero field asks for the default; the variable's zero means none
	}
	mistakes = append(mistakes, cfg.addressMistakes(addressVariable), cfg.filesFromEnv())
	if err := errors.Join(mistakes...); err != nil {
		return Config{}, err
	}
	return cfg, nil
}

// filesFromEnv reads the files that variables name, to find their mistakes before anything is started.
func (cfg *Config) filesFromEnv() error {
	var err error
	if cfg.TLS.wanted() && (cfg.HTTPAddr != "" || cfg.HealthGRPCAddr != "") {
		_, err = cfg.TLS.serverConfig(slog.New(slog.DiscardHandler), tlsVariable)
	}
	return errors.Join(err, cfg.tokens(func(string) string { return tokenFileVariable }, nil))
}

// config is what the variables say, word by word.
func (e environment) config(vars map[string]string) Config {
	return Config{
		CheckInterval: time.Duration(e.CheckInterval),
		CheckTimeout:  time.Duration(e.CheckTimeout),
		Resources: resource.Config{
			CPU:    checker.Above(float64(e.CPUThreshold)),
			Memory: checker.Above(float64(e.MemoryThreshold)),
			Disk:   checker.Above(float64(e.DiskThreshold)),
		},
		DrainDelay:      time.Duration(e.DrainDelay),
		ShutdownTimeout: time.Duration(e.ShutdownTimeout),
		Prometheus:      bool(e.Prometheus),
		Details:         servicer.Details{Policy: e.Details},
		OptionalChecks:  e.OptionalChecks,
		HTTPAddr:        valueOr(vars, httpAddrVariable, ":8080"),
		HealthGRPCAddr:  valueOr(vars, grpcAddrVariable, ""),
		FilePath:        valueOr(vars, filePathVariable, "/tmp/health"),
		TLS: TLSFiles{
			Cert:           valueOr(vars, tlsCertVariable, ""),
			Key:            valueOr(vars, tlsKeyVariable, ""),
			ClientCA:       valueOr(vars, tlsClientCAVariable, ""),
			ClientOptional: bool(e.ClientAuth),
		},
		HealthGRPCPlaintext: bool(e.GRPCPlaintext),
		DetailsTokenFile:    valueOr(vars, tokenFileVariable, ""),
	}
}

// leaveDoorsToHost closes every door that the host has opened by the same variable.
func (cfg *Config) leaveDoorsToHost() {
	cfg.HTTPAddr, cfg.HealthGRPCAddr, cfg.DrainDelay = "", "", 0
	if !strings.Contains(cfg.FilePath, pidPlaceholder) {
		cfg.FilePath = ""
	}
}

// named turns the library's errors, which speak of Go fields, into one error for each variable.
func named(err error) []error {
	aggregate, ok := errors.AsType[env.AggregateError](err)
	if !ok {
		return []error{err}
	}
	var mistakes []error
	for _, err := range aggregate.Errors {
		parse, ok := errors.AsType[env.ParseError](err)
		if !ok {
			mistakes = append(mistakes, err)
			continue
		}
		field, _ := reflect.TypeFor[environment]().FieldByName(parse.Name)
		mistakes = append(mistakes, fmt.Errorf("%s: %w", field.Tag.Get("env"), parse.Err))
	}
	return mistakes
}

func valueOr(vars map[string]string, name, fallback string) string {
	if value, set := vars[name]; set {
		return strings.TrimSpace(value)
	}
	return fallback
}
