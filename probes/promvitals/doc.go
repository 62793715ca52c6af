// Package promvitals exports health and calls to Prometheus as a prometheus.Collector over snapshots, for any registry or
// for the private one of Handler. It does not register with the global one.
//
// # Names
//
// Calls have the names and labels of go-grpc-middleware's Prometheus provider, so that dashboards and alerts written for
// it keep working; in_flight and panics are additions. docs/migrating.md lists the differences:
//
//	grpc_server_started_total{grpc_type,grpc_service,grpc_method}
//	grpc_server_handled_total{…,grpc_code}
//	grpc_server_handling_seconds{…}            histogram
//	grpc_server_msg_received_total{…}, grpc_server_msg_sent_total{…}
//	grpc_server_in_flight{…}, grpc_server_panics_total{…}
//	grpc_client_…                              the same, without panics
//
// Operations (interceptor.Recorder.Begin) are in the server's metrics, with grpc_type="other".
//
// Health:
//
//	health_status{service}                     1 serving, 0 not: the names of grpc.health.v1; "" is the whole server
//	health_state{state}                        1 for the overall status of the report, else 0
//	health_standby                             1 while out of traffic on purpose, else 0
//	health_override                            1 while an override is in force, else 0
//	health_shadow{service}                     1 while what is in shadow would keep a name from serving; else absent
//	health_phase{phase}                        1 for starting, ready, draining or stopped, else 0
//	health_checks_total{service,status}        runs of a check by the status that they led to
//	health_check_duration_seconds{service}     histogram of the runs
//	health_check_state{check,state}            1 for healthy, warning, critical or unknown, else 0
//	health_check_last_success_timestamp_seconds{check}
//	health_check_consecutive_failures{check}
//	health_measurement{check,unit}             the last number of a check that measures
//	health_check_caused{cause,check}           1 while the failure of the check cause explains that of check; else absent
//	health_check_value{check,name,unit}        a number that a check last reported beside its result
//	health_breaker_state{breaker,state}        1 for closed, half-open or open, else 0
//	health_breaker_transitions_total{breaker,state}   by the state entered
//	health_breaker_calls_total{breaker,result} success, failure, neutral, rejected
//	health_breaker_slow_calls_total{breaker}
//	health_watch_streams                       open Watch streams
//	health_probes_total{name,prober,protocol}  health requests of others
//	health_probe_state{name,prober,protocol,state}  1 for the state: ok, unknown, stopped
//	health_config_info{hash}                   1; the same hash in all processes of one configuration
//	health_info{version}                       1
//
// Labels come from registered names only; calls of unknown methods share grpc_service="other". Bytes in a name that are
// not UTF-8 are written as \xff.
//
// # Exemplars
//
// With interceptor.Config.Exemplar, such as otelvitals.Exemplar, grpc_*_handling_seconds and grpc_*_handled_total have the
// newest sampled call of each bucket and of each code as exemplar, in OpenMetrics and protobuf. Prometheus stores them
// with --enable-feature=exemplar-storage. An exemplar that OpenMetrics does not allow (label names of other than letters,
// digits and _, more than 128 characters in all) is left out.
//
// A scrape runs no check and blocks no call. A Collector is safe for concurrent use.
package promvitals
