// Package orcavitals tells balancing clients how busy the server is, by ORCA (Open Request Cost Aggregation), so that they
// move load away from a stressed server before anything fails there.
//
// gRPC's weighted_round_robin (gRFC A58) and xDS balancers give a server a weight of
//
//	rps_fractional / (application_utilization or cpu_utilization + eps / rps_fractional × penalty)
//
// A Reporter fills an OrcaLoadReport with these, and with mem_utilization, and sends it in both ways of gRFC A51: in the
// trailer of each call, under endpoint-load-metrics-bin, and out of band, to those who open
// xds.service.orca.v3.OpenRcaService/StreamCoreMetrics. Clients choose one of them:
//
//	import _ "google.golang.org/grpc/balancer/weightedroundrobin"
//
//	{"loadBalancingConfig": [{"weighted_round_robin": {"enableOobLoadReport": false}}]}
//
// healthclient.WeightedServiceConfig makes the one that heeds health as well, with reports in trailers, which are fresher.
//
// Health is another matter, said by another protocol: a report says nothing of readiness, and a drain changes nothing
// in it.
//
// # What the numbers are
//
//	cpu_utilization          share of the CPUs in use: of the fullest limited control group, else of the host, or of
//	                         GOMAXPROCS by this process if that is more; 1 is all of it
//	mem_utilization          the same for memory, without GOMAXPROCS
//	application_utilization  what Config.Utilization says; with Config.MaxInFlight the share of it in flight, or
//	                         cpu_utilization if that is more, because clients who see this one ignore the other
//	rps_fractional           calls that have ended, a second, as interceptor.Recorder counts them
//	eps                      those of them that are the server's fault (interceptor.IsFailure), a second
//
// All but memory are averages over the same Config.Window, the last 5 s, because a weight is a quotient of two of them.
// They are sampled each Config.Interval, every second: the checks of the report run far too seldom to balance by. What
// is not known stays unset, which proto3 does not tell from 0, and clients take both for "no weight". There is no report
// at all before the second sample, after Run has ended, and when sampling has hung for three intervals.
//
// # Concurrency, ownership and cost
//
// All methods may be called concurrently. Run owns the one goroutine that samples, at under a millisecond each time; a
// stream is a goroutine of the server's, with one timer. A call loads one pointer and sets a trailer that is made once a
// sample, at no allocation of ours; what it costs gRPC to carry one, some 13 allocations on both sides together, is to be
// seen with
//
//	go test -run '^$' -bench . ./servicer/orcavitals
//
// # Who sees it
//
// Reports go to every caller whom the server answers, but for calls that end with UNAUTHENTICATED or
// PERMISSION_DENIED; streams pass the server's interceptors like any other call. They hold how busy the server is, and
// nothing else.
package orcavitals
