package healthclient_test

import (
	"encoding/json"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc"
	_ "google.golang.org/grpc/balancer/weightedroundrobin"
	"google.golang.org/grpc/connectivity"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/vitals-go/vitals/servicer/healthclient"
)

func TestServiceConfigExcludesServersThatAreNotServing(t *testing.T) {
	t.Run("round robin", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) { excludes(t, healthclient.ServiceConfig) })
	})
	t.Run("weighted", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) { excludes(t, healthclient.WeightedServiceConfig) })
	})
}

func excludes(t *testing.T, config func(service string) string) {
	t.Helper()
	p := new(address)
	s := p.startHealth(t)
	defer p.stop()
	conn, err := grpc.NewClient("passthrough:///address", grpc.WithContextDialer(p.dial),
		grpc.WithDefaultServiceConfig(config("shop.v1.Orders")),
		grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.Connect()
	time.Sleep(time.Second)
	if state := conn.GetState(); state != connectivity.TransientFailure {
		t.Errorf("unknown service: got %v, want TRANSIENT_FAILURE", state)
	}
	s.SetServingStatus("shop.v1.Orders", serving)
	time.Sleep(time.Second)
	if state := conn.GetState(); state != connectivity.Ready {
		t.Errorf("SERVING: got %v, want READY", state)
	}
	s.SetServingStatus("shop.v1.Orders", notServing)
	time.Sleep(time.Second)
	if state := conn.GetState(); state != connectivity.TransientFailure {
		t.Errorf("NOT_SERVING: got %v, want TRANSIENT_FAILURE", state)
	}
}

func TestServiceConfigIsJSONForAnyName(t *testing.T) {
	for _, name := range []string{"", "shop.v1.Orders", `a"b\c`, "<&>", "\x00"} {
		var config struct {
			HealthCheckConfig struct{ ServiceName *string }
		}
		if err := json.Unmarshal([]byte(healthclient.ServiceConfig(name)), &config); err != nil {
			t.Errorf("%q: %v", name, err)
		} else if got := config.HealthCheckConfig.ServiceName; got == nil || *got != name {
			t.Errorf("%q became %v", name, got)
		}
	}
}
