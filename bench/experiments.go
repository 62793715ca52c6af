package main

import (
	"slices"

	"github.com/vitals-go/vitals/bench/internal/measure"
	"github.com/vitals-go/vitals/bench/internal/result"
)

// findings is what an experiment has found out.
type findings struct {
	goals   []result.Goal
	figures []result.Figure
	facts   map[string]float64
}

// experiment measures what belongs together.
type experiment struct {
	name    string // of its chapter
	title   string // printed as progress
	goals   []string
	measure func(measure.Plan) findings
}

// experiments in the order in which they are measured and shown.
var experiments = []experiment{
	{"noise", "the same subject twice", []string{"A/A"}, measureNoise},
	{"unary", "the unary recorder", []string{"P1", "P2"}, measureUnary},
	{"unary-cores", "the unary recorder on two cores", []string{"P3"}, measureUnaryCores},
	{"end-to-end", "calls end to end", []string{"P2", "P11"}, measureServerCalls},
	{"end-to-end-client", "calls of a client end to end", []string{"P12"}, measureClientCalls},
	{"call-allocations", "allocations of calls", []string{"P11", "P12"}, measureCallAllocations},
	{"streams", "streams", []string{"P4"}, measureStream},
	{"methods", "a thousand methods", []string{"P5"}, measureMethods},
	{"check", "health checks", []string{"P6"}, measureCheck},
	{"check-tail", "health checks while watchers are notified", []string{"P6"}, measureCheckTail},
	{"connections", "health checks over a connection", []string{"P6"}, measureConnections},
	{"watch", "watchers", []string{"P7"}, measureWatch},
	{"notified", "the last of many watchers", []string{"P7"}, measureNotified},
	{"breakers", "breakers", []string{"P8"}, measureBreaker},
	{"breaker-cores", "breakers on two cores", []string{"P8"}, measureBreakerCores},
	{"http", "HTTP handlers", []string{"P9"}, measureHTTP},
	{"http-loopback", "HTTP over the loopback interface", []string{"P9"}, measureLoopback},
	{"report", "the report", []string{"P9"}, measureReport},
	{"hanging", "endpoints while a dependency hangs", []string{"P9"}, measureHanging},
	{"report-rpc", "the report RPC while a dependency hangs", []string{"P9"}, measureReportRPC},
	{"gather", "Prometheus", []string{"P10"}, measureGather},
	{"pages", "pages of Prometheus", []string{"P10"}, measurePages},
	{"whole", "whole programs", []string{"P13", "P16"}, measureWhole},
	{"names", "thousands of names", []string{"P14"}, measureNames},
	{"names-growth", "growth to thousands of names", []string{"P14"}, measureNamesGrowth},
	{"check-runs", "runs of checks", []string{"P15"}, measureCheckRuns},
	{"growth-methods", "growth with methods", []string{"growth"}, measureGrowthMethods},
	{"growth-watchers", "growth with watchers", []string{"growth"}, measureGrowthWatchers},
	{"growth-checks", "growth with checks", []string{"growth"}, measureGrowthChecks},
	{"growth-names", "growth with names", []string{"growth"}, measureGrowthNames},
	{"growth-breakers", "growth with breakers", []string{"growth"}, measureGrowthBreakers},
	{"growth-idle", "growth of idle programs", []string{"growth"}, measureGrowthIdle},
	{"growth-callers", "growth with callers", []string{"growth"}, measureGrowthCallers},
	{"fleet", "what one instance of many sends", []string{"fleet"}, measureFleet},
}

// named reports whether e is one of names.
func (e experiment) named(names []string) bool { return slices.Contains(names, e.name) }

// wanted reports whether e belongs to one of the goals or names in only, which is empty for all.
func (e experiment) wanted(only []string) bool {
	return len(only) == 0 || e.named(only) ||
		slices.ContainsFunc(e.goals, func(id string) bool { return slices.Contains(only, id) })
}

// peers are the modules that we are compared with.
var peers = []string{
	"google.golang.org/grpc",
	"github.com/grpc-ecosystem/go-grpc-middleware/providers/prometheus",
	"go.opentelemetry.io/contrib/instrumentation/google.golang.org/grpc/otelgrpc",
	"github.com/prometheus/client_golang", "github.com/VictoriaMetrics/metrics", "connectrpc.com/grpchealth",
	"github.com/sony/gobreaker", "github.com/sony/gobreaker/v2",
	"github.com/eapache/go-resiliency", "github.com/failsafe-go/failsafe-go", "github.com/go-kratos/aegis", "github.com/zeromicro/go-zero",
	"github.com/alexliesenfeld/health", "github.com/hellofresh/health-go/v5",
}
