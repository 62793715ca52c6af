package vitals

import (
	"fmt"
	"net/url"
	"reflect"
	"slices"
	"strings"

	"github.com/vitals-go/vitals/servicer"
)

// The origins of settings.
const (
	originDefault     = "default"
	originCode        = "code"
	originEnvironment = "environment"
)

// fromVariable is a field as ConfigFromEnv has set it. Its text is that of the variable.
type fromVariable struct {
	name, text string
	value      any
}

// settings returns every field of cfg but those that New sets. What is no plain value, such as a function, is only
// reported as set.
func (cfg *Config) settings() (list []servicer.Setting) {
	defaults := map[string]string{}
	var assumed Config
	new(environment).config(&assumed)
	leaves(reflect.ValueOf(assumed), "", func(path string, v reflect.Value) { defaults[path] = valueText(v) })
	leaves(reflect.ValueOf(*cfg), "", func(path string, v reflect.Value) {
		s := servicer.Setting{Name: path, Value: valueText(v), Origin: originCode}
		set, bySet := cfg.fromEnv[path]
		switch {
		case bySet && reflect.DeepEqual(set.value, v.Interface()):
			s.Origin, s.Variable = originEnvironment, set.name
			if strings.Contains(set.text, pidPlaceholder) {
				s.Value = set.text // the same in all processes
			}
		case v.IsZero():
			s.Origin = originDefault
			if path != "HTTPAddr" && path != "FilePath" { // which are defaults of ConfigFromEnv only
				s.Value = defaults[path]
			}
		case cfg.fromEnv != nil && s.Value == defaults[path]:
			s.Origin = originDefault
		}
		list = append(list, s)
	})
	return list
}

// leaves calls found for each exported field below v that is no struct of settings itself. A list of checks is one, followed by
// what is set of each check.
func leaves(v reflect.Value, path string, found func(path string, v reflect.Value)) {
	for i := range v.NumField() {
		field := v.Type().Field(i)
		name := strings.TrimPrefix(path+"."+field.Name, ".")
		switch f := v.Field(i); {
		case !field.IsExported() || setByNew(name):
		case f.Kind() == reflect.Struct && !isText(f):
			leaves(f, name, found)
		case f.Kind() == reflect.Slice && f.Type().Elem().Kind() == reflect.Struct:
			found(name, f)
			for i := range f.Len() {
				element := f.Index(i)
				leaves(element, name+"["+element.FieldByName("Name").String()+"]", func(path string, v reflect.Value) {
					if !v.IsZero() && v.Kind() != reflect.Func && !strings.HasSuffix(path, "].Name") {
						found(path, v)
					}
				})
			}
		default:
			found(name, f)
		}
	}
}

// setByNew reports whether New sets the field.
func setByNew(path string) bool {
	if slices.Contains([]string{"Metrics.Source", "Metrics.Recorder", "Load.Recorder", "Load.Resources", "Load.Logger"}, path) {
		return true
	}
	field, of := strings.CutPrefix(path, "Server.")
	return of && slices.Contains(fieldsByNew(), field)
}

func isText(v reflect.Value) bool {
	_, is := reflect.TypeAssert[fmt.Stringer](v)
	return is
}

// valueText returns v for a report: empty for the zero value, but for booleans.
func valueText(v reflect.Value) string {
	if v.IsZero() && v.Kind() != reflect.Bool {
		return ""
	}
	switch v.Kind() {
	case reflect.Func, reflect.Pointer, reflect.Interface, reflect.Chan, reflect.UnsafePointer:
		return "set"
	case reflect.Slice, reflect.Array:
		texts := make([]string, v.Len())
		for i := range texts {
			texts[i] = valueText(v.Index(i))
		}
		return strings.Join(texts, ", ")
	case reflect.Map:
		var texts []string
		for _, key := range v.MapKeys() {
			texts = append(texts, valueText(key)+": "+valueText(v.MapIndex(key)))
		}
		slices.Sort(texts)
		return strings.Join(texts, "; ")
	case reflect.Struct:
		if !isText(v) {
			return valueText(v.FieldByName("Name")) // of a check
		}
	case reflect.String:
		return withoutUserinfo(v.String())
	}
	return fmt.Sprint(v.Interface())
}

// withoutUserinfo removes the password of an address with a scheme.
func withoutUserinfo(text string) string {
	if !strings.Contains(text, "@") {
		return text
	}
	u, err := url.Parse(text)
	if err != nil || u.User == nil {
		return "set"
	}
	u.User = nil
	return u.String()
}

// path returns the path of the field of cfg at that address, of that type.
func (cfg *Config) path(to any) (path string, found bool) {
	var below func(v reflect.Value, prefix string)
	below = func(v reflect.Value, prefix string) {
		for i := range v.NumField() {
			name, f := strings.TrimPrefix(prefix+"."+v.Type().Field(i).Name, "."), v.Field(i)
			if f.Addr().Pointer() == reflect.ValueOf(to).Pointer() && f.Type() == reflect.TypeOf(to).Elem() {
				path, found = name, true
			} else if f.Kind() == reflect.Struct {
				below(f, name)
			}
		}
	}
	below(reflect.ValueOf(cfg).Elem(), "")
	return path, found
}
