package interceptor_test

import (
	"testing"

	"github.com/vitals-go/vitals/interceptor"
)

func TestInfrastructureServices(t *testing.T) {
	for service, want := range map[string]bool{
		"grpc.health.v1.Health":              true,
		"vitals.v1.HealthReportService":      true,
		"AWS.ALB":                            true,
		"xds.service.orca.v3.OpenRcaService": true,
		"plugin.GRPCStdio":                   true, // a stream as long as the plugin's life
		"plugin.GRPCBroker":                  true,
		"plugin.GRPCController":              true,
		"plugin.kv.v1.Store":                 false,
		"shop.v1.Orders":                     false,
		"":                                   false,
		"grpc.health.v1.HealthImpostor":      false,
		"grpc.reflection.v1.ServerMirror":    false,
	} {
		if got := interceptor.IsInfrastructure("/" + service + "/Method"); got != want {
			t.Errorf("%q is infrastructure: %v, want %v", service, got, want)
		}
	}
}
