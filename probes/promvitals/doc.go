// Package promvitals exports the verdict and the recorded calls to Prometheus: one prometheus.Collector over
// snapshots, for the user's registry or the one that Handler makes. Nothing is ever registered globally.
//
// # Names
//
// Calls carry the names and labels of go-grpc-middleware's Prometheus provider, so that dashboards and alerts written
// for it keep working:
//
//	grpc_server_started_total{grpc_type,grpc_service,grpc_method}
//	grpc_server_handled_total{…,grpc_code}
//	grpc_server_handling_seconds{…}            histogram
//	grpc_server_msg_received_total{…}, grpc_server_msg_sent_total{…}
//	grpc_server_in_flight{…}, grpc_server_panics_total{…}      ours
//	grpc_client_…                                             the same, without panics
//
// Health:
//
//	health_status{service}                     1 serving, 0 not: the names of grpc.health.v1; "" is the whole server
//	health_state{state}                        1 for the overall status of the report, else 0
//	health_phase{phase}                        1 for starting, ready, draining or stopped, else 0
//	health_checks_total{service,status}        runs of a check by the status that they led to
//	health_check_duration_seconds{service}     histogram of the runs
//	health_check_state{check,state}            1 for healthy, warning, critical or unknown, else 0
//	health_check_last_success_timestamp_seconds{check}
//	health_check_consecutive_failures{check}
//	health_measurement{check,unit}             the last number of a check that measures
//	health_breaker_state{breaker,state}        1 for closed, half-open or open, else 0
//	health_breaker_transitions_total{breaker,state}   by the state entered
//	health_breaker_calls_total{breaker,result} success, failure, neutral, rejected
//	health_breaker_slow_calls_total{breaker}
//	health_watch_streams                       open Watch streams
//	health_info{version}                       1
//
// Families lists them for programs. Labels come from registered names only; calls of unknown methods share
// grpc_service="other". Bytes in a name that are not UTF-8 are written as \xff.
//
// # Coming from go-grpc-middleware
//
// Where its provider's interceptors and ServerMetrics were, put
//
//	grpc.NewServer(recorder.ServerOptions()...)                                   // and recorder.Register(server)
//	collector, err := promvitals.New(promvitals.Config{Recorder: recorder})       // registry.MustRegister(collector)
//
// Every series that it has is there with the same labels, and the same value but for what it gets wrong:
//
//   - A panic counts as grpc_code="Internal" and as handled; with the provider the call has started and never ends.
//   - A call whose caller had gone, or whose deadline had come, when the handler returned counts as Canceled or
//     DeadlineExceeded, which is what was seen, whatever the handler returned; the provider takes the handler's word.
//   - grpc.health.v1, reflection and the report service are not counted; see interceptor.Config.Skip.
//   - A stranger's method names, which reach an UnknownServiceHandler, share one name; with the provider each is a series.
//   - A code outside of the canonical 17 counts as Unknown; the provider makes Code(99) of it.
//   - Of the codes that never came, OK and failures have a series; Config.AllCodes adds the rest, as InitializeMetrics does.
//   - There are no labels from the context, and no histograms of single messages.
//
// The latency histogram is always on, with the same default buckets. Do not register both with one registry.
//
// # Exemplars
//
// With interceptor.Config.Exemplar, such as otelvitals.Exemplar, grpc_*_handling_seconds and grpc_*_handled_total lead
// to traces: the newest sampled call of each bucket and of each code, in OpenMetrics and protobuf, with classic and native
// histograms. Prometheus keeps them with --enable-feature=exemplar-storage. An exemplar whose labels OpenMetrics does not
// allow (names of other than letters, digits and _, more than 128 characters in all) is left out.
//
// # Cost
//
// A scrape reads snapshots: it runs no check and takes no lock that a call waits for. Labels are made once and kept. On
// the page of Handler, text and OpenMetrics are written straight from the snapshots, which takes a tenth of what a registry
// and its encoder do (BenchmarkText); exemplars cost what they cost there. And as a scrape is in no hurry and calls are, it
// works for 50 µs at a time and then leaves them the processor, which makes it last some milliseconds longer, about 0.1 s at
// most. What other collectors do is theirs. A Collector may be used concurrently.
package promvitals
