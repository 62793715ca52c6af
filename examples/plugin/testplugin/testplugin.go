// Package testplugin builds and runs the store plugin for tests, and finds what its processes leave behind.
package testplugin

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
)

// Children lists the processes whose parent is this one, dead ones that nobody has waited for included, as
// "pid state name".
func Children(t testing.TB) []string {
	t.Helper()
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, stat := range stats {
		text, err := os.ReadFile(stat)
		if err != nil {
			continue // It has ended.
		}
		name, rest, _ := strings.Cut(string(text), ") ")
		if fields := strings.Fields(rest); len(fields) > 1 && fields[1] == strconv.Itoa(os.Getpid()) {
			found = append(found, fields[0]+" "+name)
		}
	}
	return found
}

// Origin is an HTTP server from which the store gets missing keys. It can fail and it can hang.
type Origin struct {
	URL     string
	Failing atomic.Bool
	Hanging atomic.Bool
	Waiting atomic.Int64 // requests that hang just now

	free chan struct{}
}

// NewOrigin starts an origin that has the value "from the origin" for every key. It ends with the test.
func NewOrigin(t testing.TB) *Origin {
	t.Helper()
	o := &Origin{free: make(chan struct{})}
	server := httptest.NewServer(o)
	o.URL = server.URL
	t.Cleanup(func() {
		close(o.free)
		server.Close()
	})
	return o
}

// ServeHTTP serves values and health.
func (o *Origin) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case o.Hanging.Load():
		o.Waiting.Add(1)
		defer o.Waiting.Add(-1)
		select {
		case <-o.free:
		case <-r.Context().Done():
		}
	case o.Failing.Load():
		http.Error(w, "no", http.StatusInternalServerError)
	default:
		_, _ = io.WriteString(w, "from the origin")
	}
}
