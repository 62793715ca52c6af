package servicertest_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"
	"google.golang.org/grpc/test/bufconn"

	"github.com/vitals-go/vitals/servicer/servicertest"
)

type servingStatus = healthpb.HealthCheckResponse_ServingStatus

const (
	serving    = healthpb.HealthCheckResponse_SERVING
	notServing = healthpb.HealthCheckResponse_NOT_SERVING
	unknown    = healthpb.HealthCheckResponse_SERVICE_UNKNOWN

	orders = "shop.v1.Orders"
	db     = "database"
	delay  = 5 * time.Second
)

// model is a server that follows every rule except for one fault. It shares no code with vitals.
type model struct {
	healthpb.UnimplementedHealthServer

	fault  string
	server *grpc.Server
	file   string

	mu       sync.Mutex
	states   map[string]servingStatus
	draining bool
	over     bool
	changed  chan struct{} // closed and replaced at every change
}

func (m *model) has(fault string) bool { return m.fault == fault }

// change applies edit, writes the file and wakes the watches.
func (m *model) change(edit func()) {
	m.mu.Lock()
	defer m.mu.Unlock()
	edit()
	m.write()
	close(m.changed)
	m.changed = make(chan struct{})
}

func (m *model) set(state servingStatus, names ...string) {
	m.change(func() {
		for _, name := range names {
			m.states[name] = state
		}
	})
}

// look returns the state of name, and a channel that is closed at the next change.
func (m *model) look(name string) (state servingStatus, known, draining, over bool, changed <-chan struct{}) {
	m.mu.Lock()
	defer m.mu.Unlock()
	state, known = m.states[name]
	return state, known, m.draining, m.over, m.changed
}

func (m *model) serves(name string) bool {
	state, _, _, _, _ := m.look(name)
	return state == serving
}

func (m *model) Check(_ context.Context, r *healthpb.HealthCheckRequest) (*healthpb.HealthCheckResponse, error) {
	state, known, draining, _, _ := m.look(r.Service)
	switch {
	case m.has("empty name is unknown") && r.Service == "", m.has("service is unknown") && r.Service == orders:
		known = false
	case m.has("unknown name is NOT_SERVING") && !known:
		state, known = notServing, true
	case m.has("liveness fails during the drain") && r.Service == "liveness" && draining:
		state = notServing
	case m.has("service keeps SERVING") && r.Service == orders && draining:
		state = serving
	}
	if !known {
		return nil, status.Error(codes.NotFound, "unknown")
	}
	return &healthpb.HealthCheckResponse{Status: state}, nil
}

func (m *model) List(context.Context, *healthpb.HealthListRequest) (*healthpb.HealthListResponse, error) {
	m.mu.Lock()
	states := maps.Clone(m.states)
	m.mu.Unlock()
	switch {
	case m.has("list omits a name"):
		delete(states, orders)
	case m.has("list has an unknown name"):
		states[unknownName] = unknown
	case m.has("list is stale"):
		states[orders] = notServing
	case m.has("list is unimplemented"):
		return nil, status.Error(codes.Unimplemented, "")
	case m.has("list is exhausted"):
		return nil, status.Error(codes.ResourceExhausted, "") // allowed
	}
	response := &healthpb.HealthListResponse{Statuses: map[string]*healthpb.HealthCheckResponse{}}
	for name, state := range states {
		response.Statuses[name] = &healthpb.HealthCheckResponse{Status: state}
	}
	return response, nil
}

func (m *model) Watch(r *healthpb.HealthCheckRequest, stream grpc.ServerStreamingServer[healthpb.HealthCheckResponse]) error {
	send := func(state servingStatus) { _ = stream.Send(&healthpb.HealthCheckResponse{Status: state}) }
	sent := servingStatus(-1)
	for {
		state, known, draining, over, changed := m.look(r.Service)
		switch {
		case !known && draining && !m.has("unknown name gets no NOT_SERVING"):
			state = notServing
		case !known:
			state = unknown
		case m.has("watch ends without NOT_SERVING") && r.Service == orders && draining,
			m.has("slow watch ends without NOT_SERVING") && r.Service == orders && draining,
			m.has("watch is stuck") && sent >= 0 && !draining:
			state = sent
		}
		if m.has("no first message") && r.Service == orders && !over {
			state = sent
		}
		if m.has("wrong first message") && r.Service == orders && sent < 0 {
			send(notServing)
		}
		if m.has("slow watch ends without NOT_SERVING") && r.Service == orders && sent == notServing {
			time.Sleep(time.Second) // the drain may begin before it sends the recovery
		}
		if m.has("watch of unknown name ends later") && !known {
			return status.Error(codes.NotFound, "unknown")
		}
		if state != sent {
			send(state)
			sent = state
		}
		if m.has("watch of unknown name fails") && !known {
			return nil
		}
		if over && !m.has("watch stays open") {
			return m.end()
		}
		var again <-chan time.Time
		if m.has("watch repeats a status") {
			again = time.After(time.Second / 2)
		}
		select {
		case <-changed:
		case <-again:
			send(state)
		case <-stream.Context().Done():
			return status.FromContextError(stream.Context().Err()).Err()
		}
	}
}

func (m *model) end() error {
	switch {
	case m.has("watch ends with UNIMPLEMENTED"):
		return status.Error(codes.Unimplemented, "server is stopping")
	case m.has("watch ends with OK"):
		return nil
	}
	return status.Error(codes.Unavailable, "server is stopping")
}

func (m *model) fail() (recover func()) {
	names := []string{"", "readiness", orders, db}
	switch {
	case m.has("empty name ignores the failure"):
		names = names[1:]
	case m.has("liveness fails with a dependency"):
		names = append(names, "liveness")
	}
	m.set(notServing, names...)
	return func() {
		if !m.has("no recovery") {
			m.set(serving, "", "readiness", orders, db)
		}
	}
}

func (m *model) drain() {
	m.change(func() {
		m.draining = true
		for name := range m.states {
			if name != "liveness" {
				m.states[name] = notServing
			}
		}
	})
	time.Sleep(delay)
	m.change(func() { m.over = true })
	m.server.GracefulStop()
	if !m.has("file remains") {
		_ = os.Remove(m.file)
	}
}

func (m *model) call(context.Context) error {
	if _, _, draining, _, _ := m.look(""); draining && m.has("calls fail during the drain") {
		return errors.New("refused")
	}
	return nil
}

// write writes the health file. It is called under mu.
func (m *model) write() {
	now := time.Now()
	ready := m.states["readiness"] == serving
	document := map[string]any{
		"status": "healthy", "healthy": ready, "ready": ready || m.has("file disagrees"),
		"live": m.states["liveness"] == serving, "uptime": 1, "timestamp": now, "expires_at": now.Add(time.Hour),
	}
	mode := os.FileMode(0o644)
	switch {
	case m.has("file expires at once"):
		document["timestamp"], document["expires_at"] = now.Add(-time.Hour), now
	case m.has("file is from the future"):
		document["timestamp"], document["expires_at"] = now.Add(time.Hour), now.Add(2*time.Hour)
	case m.has("file without a field"):
		delete(document, "healthy")
	case m.has("file is not readable"):
		mode = 0o600
	}
	body, _ := json.Marshal(document)
	if m.has("file is truncated") {
		body = body[:len(body)/2]
	}
	_ = os.WriteFile(m.file, body, mode)
}

// ServeHTTP serves the HTTP endpoints.
func (m *model) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !m.has("responses without no-store") {
		w.Header().Set("Cache-Control", "no-store")
	}
	w.Header().Set("X-Content-Type-Options", "nosniff")
	if r.Method != http.MethodGet && r.Method != http.MethodHead && !m.has("POST is accepted") {
		w.Header().Set("Allow", "GET, HEAD")
		w.WriteHeader(http.StatusMethodNotAllowed)
		return
	}
	_, _, draining, _, _ := m.look("")
	respond := func(ok bool) {
		if !ok {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}
	switch path := strings.TrimSuffix(r.URL.Path, "z"); {
	case path == "/read", path == "/ready":
		respond(m.serves("readiness") || m.has("HTTP always ready") || m.has("HTTP ignores the drain") && draining)
	case path == "/live":
		respond(m.serves("liveness") && !m.has("HTTP never live"))
	case path == "/startup":
		respond((m.serves("startup") || draining) && !m.has("HTTP never started"))
	case path == "/health":
		overall := map[bool]string{true: "healthy", false: "critical"}[m.serves("readiness") || draining]
		phase := map[bool]string{true: "draining", false: "ready"}[draining]
		respond(overall == "healthy" && !draining || m.has("HTTP always healthy"))
		_ = json.NewEncoder(w).Encode(map[string]string{"overall_status": overall, "phase": phase})
	case path == "/metrics":
		value := map[bool]int{true: 1}[m.serves("readiness") || m.has("metrics are stale")]
		respond(m.serves("readiness") || !m.has("metrics answer 503"))
		fmt.Fprintf(w, "# HELP\nhealth_status{service=\"readiness\"} %d\n", value)
	case !m.has("unknown check exists"):
		w.WriteHeader(http.StatusNotFound)
	}
}

// RoundTrip is an http.RoundTripper without a network.
func (m *model) RoundTrip(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	m.ServeHTTP(w, r)
	return w.Result(), nil
}

func (m *model) probe(context.Context) int {
	switch {
	case m.serves("readiness"):
		return 0
	case m.has("probe has other exit codes"):
		return 1
	}
	return 4
}

const unknownName = "servicertest.v1.Unknown"

// newModel starts a model and returns a target with all fields.
func newModel(t *testing.T, fault string) servicertest.Target {
	t.Helper()
	m := &model{
		fault: fault, server: grpc.NewServer(), file: filepath.Join(t.TempDir(), "health"), changed: make(chan struct{}),
		states: map[string]servingStatus{
			"": serving, "liveness": serving, "readiness": serving, "startup": serving, orders: serving, db: serving,
		},
	}
	switch fault {
	case "invalid status":
		m.states["odd"] = 0
	case "list exceeds 100 names":
		for i := range 100 {
			m.states[fmt.Sprint("service", i)] = serving
		}
	}
	m.change(func() {})
	healthpb.RegisterHealthServer(m.server, m)
	target := servicertest.Target{
		Conn: connect(t, m.server), Names: []string{orders, db}, HTTP: "http://model",
		File: m.file, Probe: m.probe, Fail: map[string]func() (recover func()){db: m.fail}, Drain: m.drain, DrainDelay: delay,
		Call: m.call, Timeout: 2 * time.Second,
	}
	if fault == "invalid status" {
		target.Names = append(target.Names, "odd")
	}
	return target.WithTransport(m)
}

// connect serves server in memory until the test ends.
func connect(t *testing.T, server *grpc.Server) *grpc.ClientConn {
	t.Helper()
	lis := bufconn.Listen(1 << 16)
	served := make(chan error, 1)
	go func() { served <- server.Serve(lis) }()
	conn := dialMemory(t, lis)
	t.Cleanup(func() {
		_ = conn.Close()
		server.Stop()
		if err := <-served; err != nil {
			t.Errorf("Serve: %v", err)
		}
	})
	return conn
}

// dialMemory returns a connection that the test closes at its end.
func dialMemory(t *testing.T, lis *bufconn.Listener) *grpc.ClientConn {
	t.Helper()
	conn, err := grpc.NewClient(
		"passthrough:///memory", grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return lis.DialContext(ctx) }),
	)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}
