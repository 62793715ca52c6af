package vitals_test

import (
	"errors"
	"log/slog"
	"reflect"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"

	"github.com/vitals-go/vitals"
	"github.com/vitals-go/vitals/breaker"
	"github.com/vitals-go/vitals/checker"
	"github.com/vitals-go/vitals/interceptor"
	"github.com/vitals-go/vitals/servicer"
)

// A service mesh multiplexes the watches of many clients over one connection.
func TestWatchesOfOneConnectionCanBeRaised(t *testing.T) {
	const watches = 1001
	for name, tt := range map[string]struct {
		perConn int
		last    codes.Code
	}{"default": {0, codes.ResourceExhausted}, "raised": {watches, codes.OK}, "no limit": {-1, codes.OK}} {
		w := serve(t, func(c *vitals.Config) { c.Server.MaxWatchesPerConn = tt.perConn })
		for listener, conn := range map[string]*grpc.ClientConn{"main": w.conn, "health-only": w.plain} {
			if listener == "health-only" && tt.perConn == 0 {
				continue // its limit of streams is reached as well, and the client waits
			}
			for i := range watches {
				stream, err := healthpb.NewHealthClient(conn).Watch(t.Context(), &healthpb.HealthCheckRequest{})
				if err == nil {
					_, err = stream.Recv()
				}
				if want := tt.last; i == watches-1 && status.Code(err) != want || i < watches-1 && err != nil {
					t.Fatalf("%s, %s: watch %d: %v, want %v", name, listener, i, err, want)
				}
			}
		}
		w.end(t)
	}
}

func TestServerConfigIsUsed(t *testing.T) {
	health, err := vitals.New(vitals.Config{Server: servicer.Config{Services: []string{"shop.v1.Orders"}, TransitionHistory: 1}})
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		health.Server().SetServingStatus("shop.v1.Orders", healthpb.HealthCheckResponse_NOT_SERVING)
		_ = health.Report()
		health.Server().SetServingStatus("shop.v1.Orders", healthpb.HealthCheckResponse_SERVING)
		_ = health.Report()
	}
	if n := len(health.Report().Transitions); n != 1 {
		t.Errorf("%d transitions in the report, want 1", n)
	}
}

// TestNewRejectsServerFieldsThatItSets also fails for a new field of servicer.Config that vitals.Config has too.
func TestNewRejectsServerFieldsThatItSets(t *testing.T) {
	check, err := checker.New(checker.Config{})
	recorder, err2 := interceptor.New(interceptor.Config{})
	if err := errors.Join(err, err2); err != nil {
		t.Fatal(err)
	}
	full := servicer.Config{
		Checker: check, Recorder: recorder, Breakers: []breaker.SnapshotSource{nil}, Version: "1", HideChecks: true,
		Requests: servicer.RequestPolicy{Gates: true}, Details: servicer.Details{Policy: servicer.DetailsAlways},
		DrainDelay: time.Second, ShutdownTimeout: time.Second, Logger: slog.Default(),
		Services: []string{"a"}, MinPublishInterval: time.Second, TransitionHistory: 1, MaxWatches: 1, MaxWatchesPerConn: 1,
		MaxReportStreams: 1, Groups: map[string][]string{"a": nil}, RejectFor: []checker.Reason{checker.ReasonManual},
		OverrideFile: "/none", Settings: []servicer.Setting{{}},
	}
	_, err = vitals.New(vitals.Config{Server: full})
	fields := reflect.ValueOf(full)
	for i := range fields.NumField() {
		name := fields.Type().Field(i).Name
		_, twice := reflect.TypeFor[vitals.Config]().FieldByName(name)
		if twice && fields.Field(i).IsZero() {
			t.Errorf("%s is not set by this test", name)
		}
		if rejected := err != nil && strings.Contains(err.Error(), "vitals: Server."+name+":"); rejected != (twice || name == "Checker" || name == "Settings") {
			t.Errorf("%s: rejected %v", name, rejected)
		}
	}
}
