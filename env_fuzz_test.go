package vitals

import (
	"fmt"
	"math/big"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/vitals-go/vitals/servicer"
)

// plainNumber is a number as people write one. Other spellings, such as 0x1p-2, are left to the parser.
var plainNumber = regexp.MustCompile(`^[0-9]{1,9}(\.[0-9]{1,6})?$`)

// FuzzEnvironment gives any value to each kind of variable, one after the other and all together.
func FuzzEnvironment(f *testing.F) {
	for _, value := range []string{
		"", " ", "30", " 30 ", "0", "-0", "-1", "0.5", "1e3", "1e400", "NaN", "Inf", "0x1p62", "1_000", "9223372036", "9223372037", "9223372036.854775807",
		"1m30s", "-1m", "1h1h", "2540400h10m10s", "true", "TRUE", "t", "1", "yes", "never", "local", "Always", "a,b", "a,,b", ",", ", ,", "a, b ,c", "\x00", "\xff", "ſ", "=", "${HOME}",
		"50", "100", "100.0000001", "99.9%", "\n",
	} {
		f.Add(value, "30")
		f.Add("30", value)
	}
	f.Fuzz(func(t *testing.T, one, other string) {
		var bad []string
		var environ []string
		for i, v := range []string{
			"PLUGIN_HEALTH_CHECK_INTERVAL", "PLUGIN_HEALTH_DRAIN_DELAY", "PLUGIN_RESOURCE_CPU_THRESHOLD", "PLUGIN_ENABLE_PROMETHEUS",
			"PLUGIN_HEALTH_DETAILS", "PLUGIN_HEALTH_OPTIONAL_CHECKS", "PLUGIN_HEALTH_CHECK_TIMEOUT", "PLUGIN_RESOURCE_DISK_THRESHOLD", "PLUGIN_HEALTH_SHUTDOWN_TIMEOUT",
		} {
			pair := v + "=" + []string{one, other}[i%2]
			environ = append(environ, pair)
			if cfg, err := configFrom([]string{pair}); err != nil {
				bad = append(bad, v)
				mustName(t, err, []string{v}, cfg)
			} else {
				mustMakeSense(t, cfg, []string{one, other}[i%2], v)
			}
		}
		cfg, err := configFrom(environ)
		if (err == nil) != (len(bad) == 0) {
			t.Fatalf("%q: %v, although alone these are mistakes: %q", environ, err, bad)
		}
		if err != nil {
			mustName(t, err, bad, cfg)
			return
		}
		again, err := configFrom(spell(cfg))
		again.fromEnv, cfg.fromEnv = nil, nil
		if err != nil || !reflect.DeepEqual(again, cfg) {
			t.Fatalf("%+v comes back as %+v, %v", cfg, again, err)
		}
	})
}

// mustName proves that an error names all of the variables, that nothing else is wrong, and that no configuration comes
// with it.
func mustName(t *testing.T, err error, variables []string, cfg Config) {
	t.Helper()
	if !reflect.DeepEqual(cfg, Config{}) {
		t.Errorf("%+v comes along with %v", cfg, err)
	}
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok || len(joined.Unwrap()) != len(variables) {
		t.Fatalf("%v: want one mistake for each of %q", err, variables)
	}
	for i, mistake := range joined.Unwrap() {
		if name, _, _ := strings.Cut(mistake.Error(), ":"); !slices.Contains(variables, name) {
			t.Errorf("mistake %d is %v, want one of %q", i, mistake, variables)
		}
	}
}

// mustMakeSense compares what was read of one variable with what a plain value says.
func mustMakeSense(t *testing.T, cfg Config, value, variable string) {
	t.Helper()
	if cfg.CheckInterval <= 0 || cfg.CheckTimeout <= 0 || cfg.ShutdownTimeout <= 0 || cfg.DrainDelay == 0 {
		t.Errorf("%s=%q gives %+v", variable, value, cfg)
	}
	for _, percent := range []float64{cfg.Resources.CPU.Value(), cfg.Resources.Memory.Value(), cfg.Resources.Disk.Value()} {
		if !(percent > 0 && percent <= 100) {
			t.Errorf("%s=%q gives %v percent", variable, value, percent)
		}
	}
	if slices.Contains(cfg.OptionalChecks, "") {
		t.Errorf("%s=%q gives the names %q", variable, value, cfg.OptionalChecks)
	}
	if variable != "PLUGIN_HEALTH_CHECK_INTERVAL" || !plainNumber.MatchString(value) {
		return
	}
	exact, _ := new(big.Rat).SetString(value)
	nanos, _ := exact.Mul(exact, new(big.Rat).SetInt64(int64(time.Second))).Float64()
	if off := time.Duration(nanos) - cfg.CheckInterval; off.Abs() > time.Microsecond {
		t.Errorf("%s=%q gives %v", variable, value, cfg.CheckInterval)
	}
}

// spell writes a configuration as an environment.
func spell(cfg Config) []string {
	number := func(f float64) string { return strconv.FormatFloat(f, 'g', -1, 64) }
	environ := []string{
		"PLUGIN_HEALTH_CHECK_INTERVAL=" + cfg.CheckInterval.String(), "PLUGIN_HEALTH_CHECK_TIMEOUT=" + cfg.CheckTimeout.String(),
		"PLUGIN_HEALTH_SHUTDOWN_TIMEOUT=" + cfg.ShutdownTimeout.String(), "PLUGIN_HEALTH_DRAIN_DELAY=" + max(cfg.DrainDelay, 0).String(),
		"PLUGIN_RESOURCE_CPU_THRESHOLD=" + number(cfg.Resources.CPU.Value()), "PLUGIN_RESOURCE_MEMORY_THRESHOLD=" + number(cfg.Resources.Memory.Value()),
		"PLUGIN_RESOURCE_DISK_THRESHOLD=" + number(cfg.Resources.Disk.Value()), fmt.Sprint("PLUGIN_ENABLE_PROMETHEUS=", cfg.Prometheus),
	}
	words := map[servicer.DetailsPolicy]string{servicer.DetailsNever: "never", servicer.DetailsLocal: "local", servicer.DetailsAlways: "always"}
	return append(environ, "PLUGIN_HEALTH_DETAILS="+words[cfg.Details.Policy], "PLUGIN_HEALTH_OPTIONAL_CHECKS="+strings.Join(cfg.OptionalChecks, ","))
}
