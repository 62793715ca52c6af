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
	title   string // for who waits
	goals   []string
	measure func(measure.Plan) findings
}

// experiments in the order in which they are measured and shown.
var experiments = []experiment{
	{"unary", "the unary recorder", []string{"P1", "P2"}, measureUnary},
	{"unary-cores", "the unary recorder on two cores", []string{"P3"}, measureUnaryCores},
	{"end-to-end", "calls end to end", []string{"P2"}, measureEndToEnd},
	{"streams", "streams", []string{"P4"}, measureStream},
	{"methods", "a thousand methods", []string{"P5"}, measureMethods},
	{"check", "health checks", []string{"P6"}, measureCheck},
	{"check-tail", "health checks while watchers are told", []string{"P6"}, measureCheckTail},
	{"watch", "watchers", []string{"P7"}, measureWatch},
	{"last-told", "the last of many watchers", []string{"P7"}, measureLastTold},
	{"breakers", "breakers", []string{"P8"}, measureBreaker},
	{"breaker-crowd", "breakers on two cores", []string{"P8"}, measureBreakerCrowd},
	{"doors", "answers over HTTP", []string{"P9"}, measureDoors},
	{"report", "the report", []string{"P9"}, measureReport},
	{"hanging", "doors while a dependency hangs", []string{"P9"}, measureHanging},
	{"report-rpc", "the report RPC while a dependency hangs", []string{"P9"}, measureReportRPC},
	{"gather", "Prometheus", []string{"P10"}, measureGather},
	{"growth-methods", "growth with methods", []string{"growth"}, measureGrowthMethods},
	{"growth-watchers", "growth with watchers", []string{"growth"}, measureGrowthWatchers},
	{"growth-checks", "growth with checks", []string{"growth"}, measureGrowthChecks},
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
	"github.com/prometheus/client_golang",
	"github.com/sony/gobreaker", "github.com/sony/gobreaker/v2",
	"github.com/eapache/go-resiliency", "github.com/failsafe-go/failsafe-go", "github.com/go-kratos/aegis", "github.com/zeromicro/go-zero",
	"github.com/alexliesenfeld/health", "github.com/hellofresh/health-go/v5",
}
