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

// model is a server that keeps every rule, but for the lie that it was told to tell. It is made of as little as possible,
// and of nothing that the kit or vitals is made of.
type model struct {
	healthpb.UnimplementedHealthServer

	lie    string
	server *grpc.Server
	file   string

	mu       sync.Mutex
	states   map[string]servingStatus
	draining bool
	over     bool
	changed  chan struct{} // closed and replaced at every change
}

func (m *model) lies(lie string) bool { return m.lie == lie }

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

// look returns what is known about name, and what is closed when it may have changed.
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
	case m.lies("nobody knows the server as a whole") && r.Service == "", m.lies("a service is unknown") && r.Service == orders:
		known = false
	case m.lies("unknown names do not serve") && !known:
		state, known = notServing, true
	case m.lies("liveness ends first") && r.Service == "liveness" && draining:
		state = notServing
	case m.lies("a service goes on serving") && r.Service == orders && draining:
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
	case m.lies("the list forgets"):
		delete(states, orders)
	case m.lies("the list invents"):
		states[stranger] = unknown
	case m.lies("the list is old"):
		states[orders] = notServing
	case m.lies("there is no list"):
		return nil, status.Error(codes.Unimplemented, "")
	case m.lies("the list is refused"):
		return nil, status.Error(codes.ResourceExhausted, "") // which is no lie
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
		case !known && draining && !m.lies("strangers are not told"):
			state = notServing
		case !known:
			state = unknown
		case m.lies("a watch ends untold") && r.Service == orders && draining,
			m.lies("a slow watch ends untold") && r.Service == orders && draining,
			m.lies("watches are stuck") && sent >= 0 && !draining:
			state = sent
		}
		if m.lies("the first message never comes") && r.Service == orders && !over {
			state = sent
		}
		if m.lies("the first message is wrong") && r.Service == orders && sent < 0 {
			send(notServing)
		}
		if m.lies("a slow watch ends untold") && r.Service == orders && sent == notServing {
			time.Sleep(time.Second) // it hears of the end of a failure when the drain may have begun
		}
		if m.lies("unknown names end a watch") && !known {
			return status.Error(codes.NotFound, "unknown")
		}
		if state != sent {
			send(state)
			sent = state
		}
		if m.lies("strangers are sent away") && !known {
			return nil
		}
		if over && !m.lies("watches stay open") {
			return m.end()
		}
		var again <-chan time.Time
		if m.lies("watches repeat themselves") {
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
	case m.lies("watches were never implemented"):
		return status.Error(codes.Unimplemented, "the server ends")
	case m.lies("watches end well"):
		return nil
	}
	return status.Error(codes.Unavailable, "the server ends")
}

func (m *model) fail(check string) {
	names := []string{"", "readiness", orders, check}
	switch {
	case m.lies("the server as a whole knows better"):
		names = names[1:]
	case m.lies("liveness depends on a dependency"):
		names = append(names, "liveness")
	}
	m.set(notServing, names...)
}

func (m *model) heal(check string) {
	if m.lies("nothing heals") {
		return
	}
	m.set(serving, "", "readiness", orders, check)
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
	if !m.lies("the file stays") {
		_ = os.Remove(m.file)
	}
}

func (m *model) call(context.Context) error {
	if _, _, draining, _, _ := m.look(""); draining && m.lies("calls fail at once") {
		return errors.New("refused")
	}
	return nil
}

// write writes the health file. It is called under mu.
func (m *model) write() {
	now := time.Now()
	ready := m.states["readiness"] == serving
	document := map[string]any{
		"status": "healthy", "healthy": ready, "ready": ready || m.lies("the file knows better"),
		"live": m.states["liveness"] == serving, "uptime": 1, "timestamp": now, "expires_at": now.Add(time.Hour),
	}
	mode := os.FileMode(0o644)
	switch {
	case m.lies("the file expires at once"):
		document["timestamp"], document["expires_at"] = now.Add(-time.Hour), now
	case m.lies("the file is from the future"):
		document["timestamp"], document["expires_at"] = now.Add(time.Hour), now.Add(2*time.Hour)
	case m.lies("the file lacks a word"):
		delete(document, "healthy")
	case m.lies("the file is secret"):
		mode = 0o600
	}
	body, _ := json.Marshal(document)
	if m.lies("the file is torn") {
		body = body[:len(body)/2]
	}
	_ = os.WriteFile(m.file, body, mode)
}

// ServeHTTP is the HTTP door.
func (m *model) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !m.lies("answers may be stored") {
		w.Header().Set("Cache-Control", "no-store")
	}
	w.Header().Set("X-Content-Type-Options", "nosniff")
	if r.Method != http.MethodGet && r.Method != http.MethodHead && !m.lies("anything can be posted") {
		w.Header().Set("Allow", "GET, HEAD")
		w.WriteHeader(http.StatusMethodNotAllowed)
		return
	}
	_, _, draining, _, _ := m.look("")
	answer := func(good bool) {
		if !good {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}
	switch path := strings.TrimSuffix(r.URL.Path, "z"); {
	case path == "/read", path == "/ready":
		answer(m.serves("readiness") || m.lies("HTTP is always ready") || m.lies("HTTP knows no drain") && draining)
	case path == "/live":
		answer(m.serves("liveness") && !m.lies("HTTP is never alive"))
	case path == "/startup":
		answer((m.serves("startup") || draining) && !m.lies("HTTP never starts"))
	case path == "/health":
		overall := map[bool]string{true: "healthy", false: "critical"}[m.serves("readiness") || draining]
		phase := map[bool]string{true: "draining", false: "ready"}[draining]
		answer(overall == "healthy" && !draining || m.lies("HTTP is always healthy"))
		_ = json.NewEncoder(w).Encode(map[string]string{"overall_status": overall, "phase": phase})
	case path == "/metrics":
		value := map[bool]int{true: 1}[m.serves("readiness") || m.lies("metrics are old")]
		answer(m.serves("readiness") || !m.lies("metrics fail with the server"))
		fmt.Fprintf(w, "# HELP\nhealth_status{service=\"readiness\"} %d\n", value)
	case !m.lies("every check exists"):
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
	case m.lies("the probe has codes of its own"):
		return 1
	}
	return 4
}

const stranger = "servicertest.v1.Nobody"

// newModel starts a model and returns it as a target with everything that can be tested.
func newModel(t *testing.T, lie string) servicertest.Target {
	t.Helper()
	m := &model{
		lie: lie, server: grpc.NewServer(), file: filepath.Join(t.TempDir(), "health"), changed: make(chan struct{}),
		states: map[string]servingStatus{
			"": serving, "liveness": serving, "readiness": serving, "startup": serving, orders: serving, db: serving,
		},
	}
	switch lie {
	case "a status means nothing":
		m.states["odd"] = 0
	case "a hundred names are not enough":
		for i := range 100 {
			m.states[fmt.Sprint("service", i)] = serving
		}
	}
	m.change(func() {})
	healthpb.RegisterHealthServer(m.server, m)
	target := servicertest.Target{
		Conn: connect(t, m.server), Names: []string{orders, db}, HTTP: "http://model", HTTPClient: &http.Client{Transport: m},
		File: m.file, Probe: m.probe, Checks: []string{db}, Fail: m.fail, Recover: m.heal, Drain: m.drain, DrainDelay: delay,
		Call: m.call, Timeout: 2 * time.Second,
	}
	if lie == "a status means nothing" {
		target.Names = append(target.Names, "odd")
	}
	return target
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
