// Package otelproducer gives OpenTelemetry's SDK the histograms that snapshots hold ready-made: how long calls took, as
// rpc.server.call.duration and rpc.client.call.duration of the semantic conventions for RPC 1.45, and runs of checks, as
// vitals.check.duration. Recording a call is not touched: what an instrument would cost each call is paid by nobody.
//
// A reader takes its producers when it is made, which is before there is anything to tell. So make the Producer first:
//
//	producer := otelproducer.New(otelproducer.Config{})
//	reader := sdkmetric.NewPeriodicReader(exporter, sdkmetric.WithProducer(producer))
//	provider := sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader))
//	cfg.MeterProvider, cfg.MetricProducer = provider, producer
//	health, err := vitals.New(cfg)
//
// # Truth
//
// Counts and sums are exact. The buckets of the conventions (5 ms to 10 s) are exact too, for each method and code,
// because their bounds are some of the recorder's. The SDK's views and cardinality limits do not reach a Producer; the
// recorder bounds the methods itself (interceptor.Config.MaxMethods).
//
// Exponential histograms (Config.Exponential, scale 3) are translated from the recorder's buckets, 16.7 % wide at most:
// each goes as a whole to the exponential bucket that holds its geometric middle. An observation thus lies in the bucket
// that it is counted in or at most 8.1 % beside it, and a quantile made of them is off by less than 18 %. What took less
// than 100 ns counts as 100 ns, what took more than 100 s as just more. They hold all codes of a method together,
// without status code and error type; the counter vitals.rpc.server.calls tells those apart.
//
// Temporality is cumulative, since the birth of the recorder: an export that was lost loses nothing. A backend that wants
// deltas needs a collector with cumulativetodelta.
//
// With interceptor.Config.Exemplar, such as otelvitals.Exemplar, the points of calls carry exemplars: trace_id and span_id
// become the point's own fields, other labels its filtered attributes.
//
// # Concurrency and cost
//
// Produce reads snapshots, about 1 µs per method, and may be called concurrently.
package otelproducer
