package vitals

import (
	"errors"
	"fmt"
	"math"
	"os"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/caarlos0/env/v11"

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
}

// Variables whose empty value has a meaning of its own: it turns the door off.
const (
	filePathVariable = "PLUGIN_HEALTH_FILE_PATH"
	httpAddrVariable = "PLUGIN_HEALTH_HTTP_ADDR"
	grpcAddrVariable = "PLUGIN_HEALTH_GRPC_ADDR"
)

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
//	PLUGIN_HEALTH_GRPC_ADDR           –           a second, plaintext listener for grpc.health.v1 only
//	PLUGIN_HEALTH_FILE_PATH           /tmp/health empty turns the file off
//	PLUGIN_ENABLE_PROMETHEUS          false
//	PLUGIN_HEALTH_DETAILS             never       who sees error texts: never, local or always
//	PLUGIN_HEALTH_DRAIN_DELAY         5           serving goes on this long after the signal; 0 is allowed
//	PLUGIN_HEALTH_SHUTDOWN_TIMEOUT    20          for calls in flight after that
//
// Plain numbers are seconds; Go durations such as 1m30s work too. Every mistake is reported at once, each by its
// variable's name. It is the only place in the module that reads the environment.
//
// {pid} in PLUGIN_HEALTH_FILE_PATH stands for the number of the process.
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
	if err := env.ParseWithOptions(&e, env.Options{Environment: vars}); err != nil {
		return Config{}, named(err)
	}
	cfg := Config{
		CheckInterval: time.Duration(e.CheckInterval),
		CheckTimeout:  time.Duration(e.CheckTimeout),
		Resources: resource.Config{
			CPUThreshold:    float64(e.CPUThreshold),
			MemoryThreshold: float64(e.MemoryThreshold),
			DiskThreshold:   float64(e.DiskThreshold),
		},
		DrainDelay:      time.Duration(e.DrainDelay),
		ShutdownTimeout: time.Duration(e.ShutdownTimeout),
		Prometheus:      bool(e.Prometheus),
		Details:         servicer.Details{Policy: e.Details},
		OptionalChecks:  e.OptionalChecks,
		HTTPAddr:        valueOr(vars, httpAddrVariable, ":8080"),
		HealthGRPCAddr:  valueOr(vars, grpcAddrVariable, ""),
		FilePath:        valueOr(vars, filePathVariable, "/tmp/health"),
	}
	if _, plugin := vars[pluginVariable]; plugin {
		cfg.leaveDoorsToHost()
	}
	cfg.FilePath = strings.ReplaceAll(cfg.FilePath, pidPlaceholder, strconv.Itoa(os.Getpid()))
	if cfg.DrainDelay == 0 {
		cfg.DrainDelay = -1 // a zero field asks for the default; the variable's zero means none
	}
	return cfg, nil
}

// leaveDoorsToHost closes every door that the host has opened by the same variable.
func (cfg *Config) leaveDoorsToHost() {
	cfg.HTTPAddr, cfg.HealthGRPCAddr, cfg.DrainDelay = "", "", 0
	if !strings.Contains(cfg.FilePath, pidPlaceholder) {
		cfg.FilePath = ""
	}
}

// named turns the library's errors, which speak of Go fields, into one error for each variable.
func named(err error) error {
	aggregate, ok := errors.AsType[env.AggregateError](err)
	if !ok {
		return err
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
	return errors.Join(mistakes...)
}

func valueOr(vars map[string]string, name, fallback string) string {
	if value, set := vars[name]; set {
		return strings.TrimSpace(value)
	}
	return fallback
}

// period is a time that must be longer than nothing.
type period time.Duration

// UnmarshalText implements encoding.TextUnmarshaler.
func (p *period) UnmarshalText(text []byte) error {
	d, err := seconds(string(text))
	if err == nil && d == 0 {
		err = fmt.Errorf("%q must be longer than 0 s", text)
	}
	*p = period(d)
	return err
}

// pause is a time that may be nothing.
type pause time.Duration

// UnmarshalText implements encoding.TextUnmarshaler.
func (p *pause) UnmarshalText(text []byte) error {
	d, err := seconds(string(text))
	*p = pause(d)
	return err
}

// seconds reads a plain number of seconds or a Go duration, neither of which may be negative.
func seconds(text string) (time.Duration, error) {
	text = strings.TrimSpace(text)
	d, err := time.ParseDuration(text)
	if err != nil {
		n, numberErr := strconv.ParseFloat(text, 64)
		if numberErr != nil || math.IsNaN(n) || math.IsInf(n, 0) {
			return 0, fmt.Errorf("%q is neither a number of seconds nor a duration such as 1m30s", text)
		}
		if math.Abs(n) > math.MaxInt64/float64(time.Second) {
			return 0, fmt.Errorf("%q is too long", text)
		}
		d = time.Duration(n * float64(time.Second))
		if n > 0 && d == 0 {
			return 0, fmt.Errorf("%q is shorter than a nanosecond", text)
		}
	}
	if d < 0 {
		return 0, fmt.Errorf("%q is negative", text)
	}
	return d, nil
}

// percent is a share of a resource, above 0 and at most 100.
type percent float64

// UnmarshalText implements encoding.TextUnmarshaler.
func (p *percent) UnmarshalText(text []byte) error {
	n, err := strconv.ParseFloat(strings.TrimSpace(string(text)), 64)
	if err != nil || !(n > 0 && n <= 100) {
		return fmt.Errorf("%q is not a percentage above 0 and at most 100", text)
	}
	*p = percent(n)
	return nil
}

// flag is true or false, in any case.
type flag bool

// UnmarshalText implements encoding.TextUnmarshaler.
func (f *flag) UnmarshalText(text []byte) error {
	v, err := strconv.ParseBool(strings.ToLower(strings.TrimSpace(string(text))))
	if err != nil {
		return fmt.Errorf("%q is neither true nor false", text)
	}
	*f = flag(v)
	return nil
}

// names is a comma separated list without empty members.
type names []string

// UnmarshalText implements encoding.TextUnmarshaler.
func (n *names) UnmarshalText(text []byte) error {
	for name := range strings.SplitSeq(string(text), ",") {
		name = strings.TrimSpace(name)
		if name == "" {
			return fmt.Errorf("%q holds an empty name", text)
		}
		*n = append(*n, name)
	}
	return nil
}
