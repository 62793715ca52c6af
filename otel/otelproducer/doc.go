// Package otelproducer exports the histograms that snapshots contain through OpenTelemetry's SDK: the durations of calls,
// as rpc.server.call.duration and rpc.client.call.duration of the semantic conventions for RPC 1.45, and of runs of checks,
// as vitals.check.duration. It adds no cost to a call.
//
// A reader needs its producers when it is created, before there are sources, so create the Producer first:
//
//	producer := otelproducer.New(otelproducer.Config{})
//	reader := sdkmetric.NewPeriodicReader(exporter, sdkmetric.WithProducer(producer))
//	provider := sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader))
//	cfg.MeterProvider, cfg.MetricProducer = provider, producer
//	health, err := vitals.New(cfg)
//
// # Accuracy
//
// Counts, sums and the buckets of the conventions (5 ms to 10 s) are exact for each method and code.
// interceptor.Config.MaxMethods bounds the methods.
//
// Exponential histograms (Config.Exponential, scale 3) are converted from the recorder's buckets, which are up to 16.7 %
// wide: each is counted in the exponential bucket that holds its geometric middle. An observation is at most 8.1 % outside
// of its bucket, and the error of a quantile is less than 18 %. Calls below 100 ns count as 100 ns, calls above 100 s as
// just above. They combine all codes of a method; the counter vitals.rpc.server.calls separates them.
//
// # Deltas and views
//
// Temporality is cumulative since the creation of the recorder, so a lost export loses no count. The SDK's views, cardinality
// limits and temporality selectors do not apply to a Producer. A collector makes deltas, and does what a view would, such as
// removing an attribute:
//
//	processors:
//	  metricstransform:
//	    transforms:
//	      - include: rpc.server.call.duration
//	        action: update
//	        operations:
//	          - {action: aggregate_labels, label_set: [rpc.method], aggregation_type: sum}
//	  cumulativetodelta:
//	service:
//	  pipelines:
//	    metrics: {receivers: [otlp], processors: [metricstransform, cumulativetodelta], exporters: [otlp]}
//
// With interceptor.Config.Exemplar, such as otelvitals.Exemplar, the points of calls have exemplars: trace_id and span_id
// in their fields, other labels as filtered attributes.
//
// Produce takes about 1 µs per method.
package otelproducer
