// Package otelvitals exports the verdict and the recorded calls to OpenTelemetry: metrics through observable instruments
// over snapshots, and spans of checks and transitions. Providers are given; the global ones are never touched.
//
//	exporter, err := otelvitals.New(otelvitals.Config{Source: health, Recorder: recorder, MeterProvider: provider})
//	...
//	defer exporter.Close() // after the provider's last flush
//
// Package otelproducer, below this one, adds the durations of calls and checks. They are histograms, which no observable
// instrument can be, and need the SDK; this package needs the API only.
//
// # Metrics
//
// Health, where * marks what is 1 for the state that something is in and 0 for its other states:
//
//	vitals.serving                      {vitals.service}  1 serving, 0 not: the names of grpc.health.v1; "" is the whole server
//	vitals.status                     * {vitals.status}   overall: healthy, warning, critical, unknown
//	vitals.phase                      * {vitals.phase}    starting, ready, draining, stopped
//	vitals.watch.streams                                  open Watch streams
//	vitals.check.status               * {vitals.check.name, vitals.status}
//	vitals.check.runs                   {vitals.check.name, vitals.status}   counter, by the status that they led to
//	vitals.check.consecutive_failures   {vitals.check.name}
//	vitals.check.last_success.time      {vitals.check.name}                  Unix time in s; none before the first
//	vitals.check.measurement            {vitals.check.name, vitals.unit}     CPU, memory, disk and all that measures
//	vitals.check.duration               {vitals.check.name}                  histogram in s, from otelproducer
//	vitals.breaker.state              * {vitals.breaker.name, vitals.breaker.state}
//	vitals.breaker.transitions          {vitals.breaker.name, vitals.breaker.state}   counter, by the state entered
//	vitals.breaker.calls                {vitals.breaker.name, vitals.breaker.result}  success, failure, neutral, rejected
//	vitals.breaker.slow_calls           {vitals.breaker.name}
//
// Calls, on both sides (vitals.rpc.client.… too, but for panics):
//
//	vitals.rpc.server.calls             {rpc.method, rpc.status_code, error.type, …}  counter
//	vitals.rpc.server.in_flight         {rpc.method, …}
//	vitals.rpc.server.messages          {rpc.method, vitals.direction, …}             counter; received, sent
//	vitals.rpc.server.panics            {rpc.method, …}                               counter
//	rpc.server.call.duration            {rpc.method, rpc.status_code, error.type, …}  histogram in s, from otelproducer
//
// The attributes of calls, and the last name, are those of the semantic conventions for RPC 1.45: rpc.system.name is
// grpc, or other for operations (interceptor.Recorder.Begin); error.type is there for every code but OK on the client and for those that are the server's own fault on the
// server; names that were never registered share the method _OTHER. The status code also goes by
// rpc.response.status_code, as otelgrpc calls it at the time of writing. Whoever exports otelgrpc's metrics beside
// these has rpc.server.call.duration twice, in two instrumentation scopes: choose one.
//
// Translated for Prometheus all names begin with vitals_ or rpc_, and so never meet those of package promvitals, which
// begin with health_ and grpc_. The version of the program is not here: it belongs in the resource, as service.version.
//
// # Spans
//
// CheckSpans makes health.check of each run of a check. Exporter.Run makes health.transition of each transition in the
// report: the phase, the overall status, each check and breaker, and names that change together. Every one is
// the root of a trace of its own. As everywhere, raw causes of failures stay inside unless asked for.
//
// # Concurrency and cost
//
// A collection reads one report by an atomic load and, with a Recorder, two snapshots (about 1 µs per method). It runs
// no check, waits for nothing, and slows no call. New starts no goroutine; Run uses that of its caller.
package otelvitals
