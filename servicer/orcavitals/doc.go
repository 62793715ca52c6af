// Package orcavitals reports the load of a server to balancing clients by ORCA (Open Request Cost Aggregation), so that
// they send fewer calls to a busy server.
//
// gRPC's weighted_round_robin (gRFC A58) and xDS balancers give a server a weight of
//
//	rps_fractional / (application_utilization or cpu_utilization + eps / rps_fractional × penalty)
//
// A Reporter sends an OrcaLoadReport with these values and mem_utilization in both ways of gRFC A51: in the trailer
// endpoint-load-metrics-bin of each call, and on streams of xds.service.orca.v3.OpenRcaService/StreamCoreMetrics. Clients
// choose one, as in healthclient.WeightedServiceConfig, which uses trailers. Reports are independent of health: readiness
// and drain do not change them.
//
// # Values
//
//	cpu_utilization          share of the CPUs in use: of the limit nearest to be reached (of a cgroup, cpuset, affinity,
//	                         or Config.Resources), else of the host, or of GOMAXPROCS by this process if that is more;
//	                         1 is all
//	mem_utilization          the share of memory, as the check memory_usage of package resource measures it
//	application_utilization  Config.Utilization, or the share of Config.MaxInFlight in flight, at least cpu_utilization
//	rps_fractional           finished calls per second, as counted by interceptor.Recorder
//	eps                      those that are server failures (interceptor.IsFailure) per second
//
// All but memory are averages over Config.Window, sampled each Config.Interval. Unknown values are unset, which proto3
// encodes as 0. There is no report before the second sample, after Run, and when sampling hangs for three intervals.
//
// # Security and cost
//
// Every caller gets reports, except for calls that end with UNAUTHENTICATED or PERMISSION_DENIED; streams pass the
// server's interceptors.
//
// A Reporter is safe for concurrent use. Run samples in its own goroutine, at less than 1 ms each time. A call loads one
// pointer and sets a shared trailer, without allocation here; sending it costs gRPC some 13 allocations on both sides:
//
//	go test -run '^$' -bench . ./servicer/orcavitals
package orcavitals
