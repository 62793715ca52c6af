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
func ServiceConfig(service string) string { return configOf("round_robin", service) }

// WeightedServiceConfig is ServiceConfig with weights, by gRFC A58: a server that reports by ORCA that it is busy, or that it
// fails, gets fewer calls (see package orcavitals for the server's side). Servers without reports are treated alike. A
// weight counts from ten seconds after the connection on, so that new servers are not judged by their first moments.
//
// Import the policy, or grpc.NewClient fails:
//
//	import _ "google.golang.org/grpc/balancer/weightedroundrobin"
func WeightedServiceConfig(service string) string { return configOf("weighted_round_robin", service) }

func configOf(policy, service string) string {
	text, err := json.Marshal(serviceConfig{
		LoadBalancing: []map[string]struct{}{{policy: {}}},
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
