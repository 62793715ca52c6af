// Package otelvitals exports health and calls to OpenTelemetry: metrics of snapshots, read at each collection, and spans of
// runs of checks and of transitions. OpenTelemetry's global providers are not used.
//
//	exporter, err := otelvitals.New(otelvitals.Config{Source: health, Recorder: recorder, MeterProvider: provider})
//	...
//	defer exporter.Close() // after the provider's last flush
//
// Package otelproducer adds the durations of calls and checks. They are histograms, which need the SDK; this package needs
// the API only.
//
// # Metrics
//
// Health, where * marks metrics that are 1 for the current state and 0 for the others:
//
//	vitals.serving                      {vitals.service}  1 serving, 0 not: the names of grpc.health.v1; "" is the whole server
//	vitals.status                     * {vitals.status}   overall: healthy, warning, critical, unknown
//	vitals.phase                      * {vitals.phase}    starting, ready, draining, stopped
//	vitals.standby                                        1 while out of traffic on purpose
//	vitals.override                                       1 while an override is in force
//	vitals.shadow                       {vitals.service}  1 while what is in shadow would keep a name from serving
//	vitals.watch.streams                                  open Watch streams
//	vitals.probes                       {vitals.prober, vitals.protocol, vitals.service}      counter: health requests of others
//	vitals.probe.state                * {vitals.prober, vitals.protocol, vitals.service, vitals.probe.state}  ok, unknown, stopped
//	vitals.check.status               * {vitals.check.name, vitals.status}
//	vitals.check.runs                   {vitals.check.name, vitals.status}   counter, by the status that they led to
//	vitals.check.consecutive_failures   {vitals.check.name}
//	vitals.check.last_success.time      {vitals.check.name}                  Unix time in s; none before the first
//	vitals.check.measurement            {vitals.check.name, vitals.unit}     CPU, memory, disk and others that measure
//	vitals.check.caused                 {vitals.check.name, vitals.cause}    1 while another check explains the failure
//	vitals.check.value                  {vitals.check.name, vitals.value.name, vitals.unit}  numbers beside a result
//	vitals.check.duration               {vitals.check.name}                  histogram in s, from otelproducer
//	vitals.breaker.state              * {vitals.breaker.name, vitals.breaker.state}
//	vitals.breaker.transitions          {vitals.breaker.name, vitals.breaker.state}   counter, by the state entered
//	vitals.breaker.calls                {vitals.breaker.name, vitals.breaker.result}  success, failure, neutral, rejected
//	vitals.breaker.slow_calls           {vitals.breaker.name}
//
// Calls; the client has the same as vitals.rpc.client.… and rpc.client.call.duration, without panics:
//
//	vitals.rpc.server.calls             {rpc.method, rpc.status_code, error.type, …}  counter
//	vitals.rpc.server.in_flight         {rpc.method, …}
//	vitals.rpc.server.messages          {rpc.method, vitals.direction, …}             counter; received, sent
//	vitals.rpc.server.panics            {rpc.method, …}                               counter
//	rpc.server.call.duration            {rpc.method, rpc.status_code, error.type, …}  histogram in s, from otelproducer
//
// The attributes of calls follow the semantic conventions for RPC 1.45: rpc.system.name is grpc, or other for operations
// (interceptor.Recorder.Begin); error.type is set for every code but OK on the client, and on the server for those for which
// interceptor.IsFailure holds; unregistered names share the method _OTHER. rpc.response.status_code repeats the status code
// under otelgrpc's name. otelgrpc's own metrics contain rpc.server.call.duration too: export only one of the two.
//
// Counters never fall, for cumulative and delta readers alike: they continue when a check or breaker is removed and added
// again, and when an Exporter is closed and another one created. Their series count towards the SDK's cardinality limit (2000
// by default), also those of breakers that a Group has dropped. A MeterProvider has one Exporter at a time; two healths in one
// process need one each, which may share an OTLP exporter and differ in the resource's service.instance.id.
//
// Translated for Prometheus, no name equals one of package promvitals. The version of the program belongs in the resource,
// as service.version.
//
// A collection loads one report and takes about 1 µs per method. It runs no check and blocks no call.
package otelvitals
