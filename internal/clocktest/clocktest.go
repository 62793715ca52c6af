// Package clocktest sets the wall clock for tests. Bubbles of testing/synctest cannot: their times have no monotonic reading.
package clocktest

import (
	"fmt"
	"reflect"
	"strings"
	"time"
	"unsafe"
)

// Set changes the times below v as if the wall clock had been set by d, back if negative, since they were read: seen from now,
// those are off by as much the other way, while their monotonic readings stay. No other goroutine may use v meanwhile.
func Set(v any, d time.Duration) {
	walk(v, func(_ string, t *time.Time) {
		switch {
		case t.IsZero():
			return
		case !Monotonic(*t):
			*t = t.Add(-d)
			return
		}
		// The layout of time.Time: the seconds of the wall clock are above its 30 bits of nanoseconds.
		wall := (*uint64)(unsafe.Pointer(t))
		*wall -= uint64(int64(d/time.Second)) << 30
	})
}

// Stripped returns the paths of the times below v that are not zero and have no monotonic reading.
func Stripped(v any) (paths []string) {
	walk(v, func(path string, t *time.Time) {
		if !t.IsZero() && !Monotonic(*t) {
			paths = append(paths, path)
		}
	})
	return paths
}

// Monotonic reports whether t has a monotonic reading.
func Monotonic(t time.Time) bool { return strings.Contains(t.String(), " m=") }

// module is the prefix of the packages whose types are searched. Those of others hold nothing that this module compares.
const module = "github.com/vitals-go/vitals"

type walker struct {
	visit func(path string, t *time.Time)
	seen  map[seen]bool
}

type seen struct {
	at  unsafe.Pointer
	typ reflect.Type
}

// walk calls visit with each time.Time below v, a pointer: in structs of this module, exported or not, and in what their
// pointers, interfaces, slices, arrays and maps refer to.
func walk(v any, visit func(path string, t *time.Time)) {
	w := &walker{visit: visit, seen: make(map[seen]bool)}
	w.value(reflect.TypeOf(v).Elem().Name(), reflect.ValueOf(v).Elem())
}

func (w *walker) value(path string, v reflect.Value) {
	key := seen{v.Addr().UnsafePointer(), v.Type()}
	if w.seen[key] {
		return
	}
	w.seen[key] = true
	switch v.Kind() {
	case reflect.Struct:
		w.structure(path, v)
	case reflect.Pointer:
		if !v.IsNil() {
			w.value(path, v.Elem())
		}
	case reflect.Interface:
		if !v.IsNil() {
			w.replaced(path, v.Elem(), v.Set)
		}
	case reflect.Slice, reflect.Array:
		for i := range v.Len() {
			w.value(fmt.Sprintf("%s[%d]", path, i), v.Index(i))
		}
	case reflect.Map:
		for _, k := range v.MapKeys() {
			w.replaced(fmt.Sprintf("%s[%v]", path, k), v.MapIndex(k), func(changed reflect.Value) { v.SetMapIndex(k, changed) })
		}
	}
}

// replaced searches a copy of v, which is not addressable, and stores it.
func (w *walker) replaced(path string, v reflect.Value, store func(reflect.Value)) {
	clone := reflect.New(v.Type()).Elem()
	clone.Set(v)
	w.value(path, clone)
	if v.Kind() != reflect.Pointer {
		store(clone)
	}
}

func (w *walker) structure(path string, v reflect.Value) {
	if v.Type() == reflect.TypeFor[time.Time]() {
		w.visit(path, v.Addr().Interface().(*time.Time))
		return
	}
	if target, found := pointee(v); found {
		if target.IsValid() {
			w.value(path, target)
		}
		return
	}
	if !strings.HasPrefix(v.Type().PkgPath(), module) && v.Type().Name() != "" {
		return
	}
	for i := range v.NumField() {
		field := v.Field(i)
		settable := reflect.NewAt(field.Type(), field.Addr().UnsafePointer()).Elem() // also if it is not exported
		w.value(path+"."+v.Type().Field(i).Name, settable)
	}
}

// pointee returns what an atomic.Pointer points to, invalid if that is nil.
func pointee(v reflect.Value) (target reflect.Value, found bool) {
	if v.Type().PkgPath() != "sync/atomic" || !strings.HasPrefix(v.Type().Name(), "Pointer[") {
		return target, false
	}
	load := v.Addr().MethodByName("Load").Call(nil)[0]
	return load.Elem(), true
}
