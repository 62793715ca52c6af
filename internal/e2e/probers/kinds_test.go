package probers_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/vitals-go/vitals/internal/e2e/testdeps"
)

// prober is one of the report's.
type prober struct {
	Prober, Protocol, Name, Answer string
	Unknown                        bool
	Requests                       int
	Interval                       float64 `json:"interval_seconds"`
}

// program returns the path of one of the probers.
func program(t *testing.T, names ...string) string {
	t.Helper()
	for _, name := range names {
		if paths := testdeps.Installed(name); len(paths) > 0 {
			return paths[0]
		}
		path, err := exec.LookPath(filepath.Join(os.Getenv("HOME"), "go", "bin", name))
		if err == nil {
			return path
		}
	}
	t.Skipf("%s is not installed; .ci/install installs it", names[0])
	return ""
}

// probers returns those of the report, by what they request.
func (s *server) probers() (map[string]prober, error) {
	resp, err := http.Get("http://" + testdeps.Addr(s.web) + "/health")
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	var report struct{ Probers []prober }
	err = json.NewDecoder(resp.Body).Decode(&report)
	found := map[string]prober{}
	for _, p := range report.Probers {
		found[p.Prober+" "+p.Protocol+" "+p.Name] = p
	}
	return found, err
}

// Each program is the real one; the kubelet's are its own packages.
func TestRealProbersAreToldApart(t *testing.T) {
	kubelet, blackbox := program(t, "kubelet-probe"), program(t, "blackbox_exporter")
	probe := program(t, "grpc-health-probe", "grpc_health_probe")
	s, other := newServer(t, ""), newServer(t, "")
	s.answers("/ready", http.StatusOK)
	other.answers("/ready", http.StatusOK)
	newHAProxy(t, s, other).sees("one", "UP")
	web, main := testdeps.Addr(s.web), testdeps.Addr(s.port)

	exporter := testdeps.Addr(testdeps.Port(t))
	config := filepath.Join(t.TempDir(), "blackbox.yml")
	if err := os.WriteFile(config, []byte("modules: {http: {prober: http}, grpc: {prober: grpc, grpc: {service: inventory.v1.Inventory}}}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	testdeps.Start(t, exec.Command(blackbox, "--config.file="+config, "--web.listen-address="+exporter))
	for module, target := range map[string]string{"http": "http://" + web + "/health", "grpc": main} {
		testdeps.Eventually(t, patience, func() error {
			code, err := get(t.Context(), "http://"+exporter+"/probe?module="+module+"&target="+url.QueryEscape(target))
			if err == nil && code != http.StatusOK {
				err = fmt.Errorf("the exporter answers %d", code)
			}
			return err
		})
	}
	command := func(want string, name string, args ...string) {
		t.Helper()
		out, err := exec.Command(name, args...).CombinedOutput()
		if !strings.Contains(string(out), want) {
			t.Errorf("%s %q: %s (%v), want %s", name, args, out, err, want)
		}
	}
	command("success", kubelet, "http://"+web+"/ready")
	command("failure", kubelet, "http://"+web+"/readyy")
	command("success", kubelet, "grpc://"+main+"/readiness")
	command("failure", kubelet, "grpc://"+main+"/livenes")
	command("SERVING", probe, "-addr", main, "-service", "liveness")
	command("SERVING", testdeps.Server(t), "healthcheck", "-addr", main)

	want := map[string]prober{
		"kubelet http /ready":              {Answer: "200"},
		"kubelet http /readyy":             {Answer: "404", Unknown: true},
		"kubelet grpc readiness":           {Answer: "SERVING"},
		"kubelet grpc livenes":             {Answer: "NOT_FOUND", Unknown: true},
		"grpc_health_probe grpc liveness":  {Answer: "SERVING"},
		"healthcheck grpc ":                {Answer: "SERVING"},
		"haproxy http /ready":              {Answer: "200"},
		"blackbox_exporter http /health":   {Answer: "200"},
		"grpc grpc inventory.v1.Inventory": {Answer: "SERVING"}, // the blackbox exporter's gRPC prober has no name
		"go http /ready":                   {Answer: "200"},     // this test
	}
	var found map[string]prober
	testdeps.Eventually(t, patience, func() (err error) {
		found, err = s.probers()
		var errs []error
		for who, want := range want {
			if got, known := found[who]; !known || got.Answer != want.Answer || got.Unknown != want.Unknown || got.Requests == 0 {
				errs = append(errs, fmt.Errorf("%s: %+v, want %+v", who, got, want))
			}
		}
		if p := found["haproxy http /ready"]; p.Interval == 0 { // the test machine may be slow
			errs = append(errs, errors.New("HAProxy has no interval"))
		}
		return errors.Join(append(errs, err)...)
	})
	for who := range found {
		if _, known := want[who]; !known && who != "go http /health" {
			t.Errorf("%s is nobody", who)
		}
	}
	t.Log(slices.Sorted(maps.Keys(found)))
	if log := s.Output(); strings.Count(log, "health of an unknown name is requested") != 2 {
		t.Errorf("want two lines about unknown names")
	}
}
