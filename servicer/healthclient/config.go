package healthclient

import (
	"encoding/json"

	// Without this import grpc-go ignores the healthCheckConfig of a service config.
	_ "google.golang.org/grpc/health"
)

// ServiceConfig returns a service config for grpc.WithDefaultServiceConfig: round robin over the addresses of the target
// where service is SERVING (gRFC A17). The empty name is the server as a whole.
//
// A server without a health service counts as serving, as the specification requires; Watch reports it as not serving.
func ServiceConfig(service string) string { return serviceConfig("round_robin", service) }

// WeightedServiceConfig is ServiceConfig with weighted round robin (gRFC A58): servers that report high utilization or
// errors by ORCA (see package orcavitals) get fewer calls. Servers without reports get equal shares. Weights apply from
// ten seconds after connecting.
//
// It requires the policy, or grpc.NewClient fails:
//
//	import _ "google.golang.org/grpc/balancer/weightedroundrobin"
func WeightedServiceConfig(service string) string {
	return serviceConfig("weighted_round_robin", service)
}

func serviceConfig(policy, service string) string {
	type object = map[string]any
	text, err := json.Marshal(object{
		"loadBalancingConfig": []object{{policy: object{}}},
		"healthCheckConfig":   object{"serviceName": service},
	})
	if err != nil {
		panic(err) // cannot happen: all values are strings
	}
	return string(text)
}
