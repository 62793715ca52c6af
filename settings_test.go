package vitals

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/vitals-go/vitals/checker"
	"github.com/vitals-go/vitals/servicer"
)

const planted = "postgres://app:hunter2@db/shop"

// fill sets every exported field below v that can be set, strings to planted, and returns the paths of those that are no structs.
func fill(t *testing.T, v reflect.Value, path string) (paths []string) {
	t.Helper()
	for i := range v.NumField() {
		field, f := v.Type().Field(i), v.Field(i)
		name := strings.TrimPrefix(path+"."+field.Name, ".")
		if !field.IsExported() {
			continue
		}
		switch f.Interface().(type) {
		case checker.Limit:
			f.Set(reflect.ValueOf(checker.Above(70)))
		default:
			if f.Kind() == reflect.Struct {
				paths = append(paths, fill(t, f, name)...)
				continue
			}
			fillLeaf(t, f, name)
		}
		paths = append(paths, name)
	}
	return paths
}

func fillLeaf(t *testing.T, f reflect.Value, name string) {
	t.Helper()
	switch f.Kind() {
	case reflect.String:
		f.SetString(planted)
	case reflect.Bool:
		f.SetBool(true)
	case reflect.Int, reflect.Int64:
		f.SetInt(7)
	case reflect.Uint8, reflect.Uint64:
		f.SetUint(2)
	case reflect.Float64:
		f.SetFloat(7)
	case reflect.Func:
		f.Set(reflect.MakeFunc(f.Type(), func([]reflect.Value) []reflect.Value { panic("called") }))
	case reflect.Pointer:
		f.Set(reflect.New(f.Type().Elem()))
	case reflect.Slice:
		element := reflect.New(f.Type().Elem()).Elem()
		if element.Kind() == reflect.Struct {
			fill(t, element, name)
		} else if element.Kind() != reflect.Interface {
			fillLeaf(t, element, name)
		}
		f.Set(reflect.Append(f, element))
	case reflect.Map:
		key, value := reflect.New(f.Type().Key()).Elem(), reflect.New(f.Type().Elem()).Elem()
		fillLeaf(t, key, name)
		if value.Kind() != reflect.Struct {
			fillLeaf(t, value, name)
		}
		f.Set(reflect.MakeMap(f.Type()))
		f.SetMapIndex(key, value)
	case reflect.Interface:
	default:
		t.Fatalf("%s is a %v: say how settings show it", name, f.Kind())
	}
}

func TestSettingsHaveEveryFieldAndNoSecret(t *testing.T) {
	var cfg Config
	fields := fill(t, reflect.ValueOf(&cfg).Elem(), "")
	shown := map[string]servicer.Setting{}
	for _, s := range cfg.settings() {
		if _, twice := shown[s.Name]; twice {
			t.Errorf("%s is there twice", s.Name)
		}
		shown[s.Name] = s
		if strings.Contains(s.Value, "hunter2") {
			t.Errorf("%+v has a secret", s)
		}
	}
	for _, name := range fields {
		byNew := strings.HasPrefix(name, "Load.Resources.") || strings.HasPrefix(name, "Server.Requests.") || strings.HasPrefix(name, "Server.Details.") || setByNew(name)
		s, found := shown[name]
		if found == byNew {
			t.Errorf("%s: shown %v", name, found)
		}
		if found && s.Origin != originCode && reflect.ValueOf(&cfg).Elem().FieldByName(strings.Split(name, ".")[0]).Kind() != reflect.Interface {
			t.Errorf("%+v is set in code", s)
		}
	}
	for name, want := range map[string]string{
		"HTTPTLS": "set", "Details.Authorize": "set", "Logger": "set", "CheckInterval": "7ns", "Resources.CPU": checker.Above(70).String(),
		"TLS.ClientOptional": "true", "Details.Policy": servicer.DetailsPolicy(2).String(), "HTTPAddr": "postgres://db/shop",
	} {
		if shown[name].Value != want {
			t.Errorf("%+v, want the value %q", shown[name], want)
		}
	}
	if len(fields) < 80 {
		t.Errorf("%d fields: the test does not see them", len(fields))
	}
}

func TestSettingsOfChecks(t *testing.T) {
	cfg := Config{Dependencies: []checker.Check{{Name: "database", Timeout: time.Second, Gates: []string{"shop.v1.Orders"}, Shadow: true}, {Name: "search"}}}
	got := map[string]string{}
	for _, s := range cfg.settings() {
		if strings.HasPrefix(s.Name, "Dependencies") {
			got[s.Name] = s.Value
		}
	}
	if want := map[string]string{
		"Dependencies": "database, search", "Dependencies[database].Timeout": "1s",
		"Dependencies[database].Gates": "shop.v1.Orders", "Dependencies[database].Shadow": "true",
	}; !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestOriginOfSettings(t *testing.T) {
	cfg, err := configFrom([]string{
		"PLUGIN_HEALTH_DRAIN_DELAY=0", "PLUGIN_RESOURCE_CPU_THRESHOLD=70", "PLUGIN_HEALTH_HTTP_ADDR=", "PLUGIN_HEALTH_CHECK_TIMEOUT=7",
		"PLUGIN_HEALTH_DETAILS=local", "PLUGIN_HEALTH_FILE_PATH=/tmp/health-{pid}", "PLUGIN_HEALTH_SHUTDOWN_TIMEOUT=",
	})
	if err != nil {
		t.Fatal(err)
	}
	cfg.CheckTimeout = 8 * time.Second // after the environment
	cfg.Version = "1.2.3"
	for _, from := range []struct {
		cfg  Config
		want map[string]string
	}{
		{cfg, map[string]string{
			"DrainDelay": "-1ns environment PLUGIN_HEALTH_DRAIN_DELAY", "Resources.CPU": "above 70 environment PLUGIN_RESOURCE_CPU_THRESHOLD",
			"HTTPAddr": " environment PLUGIN_HEALTH_HTTP_ADDR", "CheckTimeout": "8s code ", "Version": "1.2.3 code ",
			"Details.Policy": "local environment PLUGIN_HEALTH_DETAILS", "FilePath": "/tmp/health-{pid} environment PLUGIN_HEALTH_FILE_PATH",
			"ShutdownTimeout": "20s default ", "CheckInterval": "30s default ", "Prometheus": "false default ",
		}},
		{Config{HTTPAddr: ":8080", DrainDelay: 5 * time.Second}, map[string]string{
			"HTTPAddr": ":8080 code ", "DrainDelay": "5s code ", "CheckInterval": "30s default ", "FilePath": " default ", "Resources.Disk": "above 90 default ",
		}},
	} {
		got := map[string]string{}
		for _, s := range from.cfg.settings() {
			got[s.Name] = fmt.Sprintf("%s %s %s", s.Value, s.Origin, s.Variable)
		}
		for name, want := range from.want {
			if got[name] != want {
				t.Errorf("%s is %q, want %q", name, got[name], want)
			}
		}
	}
}
