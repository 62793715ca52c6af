package healthclient

import (
	"encoding/json"

	// Without it grpc-go ignores the healthCheckConfig of a service config, and says so in its own log only.
	_ "google.golang.org/grpc/health"
)

// ServiceConfig returns the service config, for grpc.WithDefaultServiceConfig, of a client that balances its calls over
// all addresses of its target by round robin and leaves out those where service is not serving, by gRFC A17. The empty
// name asks for the whole server.
//
// A server without a health service counts as serving there, as the specification wants; Watch tells them apart.
func ServiceConfig(service string) string {
	text, err := json.Marshal(serviceConfig{
		LoadBalancing: []map[string]struct{}{{"round_robin": {}}},
		HealthCheck:   healthCheckConfig{ServiceName: service},
	})
	if err != nil {
		panic(err) // Strings and empty objects always have a text.
	}
	return string(text)
}

type serviceConfig struct {
	LoadBalancing []map[string]struct{} `json:"loadBalancingConfig"`
	HealthCheck   healthCheckConfig     `json:"healthCheckConfig"`
}

type healthCheckConfig struct {
	ServiceName string `json:"serviceName"`
}
