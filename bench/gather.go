package main

import (
	"context"
	"fmt"

	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"

	"github.com/vitals-go/vitals/bench/internal/measure"
	"github.com/vitals-go/vitals/bench/internal/result"
	"github.com/vitals-go/vitals/interceptor"
	"github.com/vitals-go/vitals/probes/promvitals"
)

func measureGather(p measure.Plan) (found findings) {
	ours100, theirs100 := gatherings(100)
	ours1000, theirs1000 := gatherings(1000)
	one := measure.Interleave(p, 1, 1, ours100, theirs100, ours1000, theirs1000)
	found.goals = []result.Goal{
		atMost(0.85, "P10", "Gather, 100 methods, against equal Vecs", p.Figure(one[0]), p.Figure(one[1])),
		atMost(0.85, "P10", "Gather, 1,000 methods, against equal Vecs", p.Figure(one[2]), p.Figure(one[3])),
		atMost(16, "P10", "Gather, 1,000 methods against 100", p.Figure(one[2]), p.Figure(one[0])),
	}
	return found
}

// gatherings returns the gathering of collectors.
func gatherings(n int) (ours, theirs measure.Subject) {
	collector, vecs := collectors(n)
	return gathering(collector), gathering(vecs...)
}

// collectors returns the same calls of n methods, recorded by vitals and in Vecs of the same names and labels.
func collectors(n int) (ours prometheus.Collector, theirs []prometheus.Collector) {
	recorder := newRecorder(n + 2)
	equal := newVecs()
	handler := func(context.Context, any) (any, error) { return nil, nil }
	for i := range n {
		name := fmt.Sprintf("Method%d", i)
		for range 5 {
			_, _ = recorder.UnaryServerInterceptor(context.Background(), nil, &grpc.UnaryServerInfo{FullMethod: "/shop.v1.Orders/" + name}, handler)
			equal.observe("unary", "shop.v1.Orders", name)
		}
		equal.expect("unary", "shop.v1.Orders", name)
	}
	collector, err := promvitals.New(promvitals.Config{Recorder: recorder})
	if err != nil {
		panic(err)
	}
	return collector, equal
}

// vecs are the families that promvitals exports for calls, made the usual way.
type vecs []prometheus.Collector

func newVecs() vecs {
	labels := []string{"grpc_type", "grpc_service", "grpc_method"}
	var list vecs
	for _, name := range []string{"started_total", "msg_received_total", "msg_sent_total", "panics_total"} {
		list = append(list, prometheus.NewCounterVec(prometheus.CounterOpts{Name: "grpc_server_" + name, Help: name}, labels))
	}
	return append(list,
		prometheus.NewCounterVec(prometheus.CounterOpts{Name: "grpc_server_handled_total", Help: "handled"}, append(labels, "grpc_code")),
		prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "grpc_server_in_flight", Help: "in flight"}, labels),
		prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "grpc_server_handling_seconds", Help: "latency"}, labels),
	)
}

func (v vecs) observe(labels ...string) {
	for _, c := range v {
		switch c := c.(type) {
		case *prometheus.CounterVec:
			if m, err := c.GetMetricWithLabelValues(labels...); err == nil {
				m.Inc()
			} else {
				c.WithLabelValues(append(labels, "OK")...).Inc()
			}
		case *prometheus.GaugeVec:
			c.WithLabelValues(labels...).Set(0)
		case *prometheus.HistogramVec:
			c.WithLabelValues(labels...).Observe(0.001)
		}
	}
}

// expect makes the series of the failures that have not come, which promvitals exports too.
func (v vecs) expect(labels ...string) {
	for _, c := range v {
		handled, ok := c.(*prometheus.CounterVec)
		for code := range codes.Code(interceptor.NumCodes) {
			if ok && interceptor.IsFailure(code) {
				_, _ = handled.GetMetricWithLabelValues(append(labels, code.String())...) // only the one with a code takes it
			}
		}
	}
}

func gathering(collectors ...prometheus.Collector) measure.Subject {
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors...)
	return func(n int) {
		for range n {
			if _, err := registry.Gather(); err != nil {
				panic(err)
			}
		}
	}
}
