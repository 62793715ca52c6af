package main

// What several panels share.
var (
	serving = map[string]state{"0": {"not serving", "red"}, "1": {"serving", "green"}}
	closed  = map[string]state{"0": {"not closed", "red"}, "1": {"closed", "green"}}
)

const failureCodes = `grpc_code=~"Unknown|DeadlineExceeded|Unimplemented|Internal|Unavailable|DataLoss"`

// callPanels show the calls of a side, server or client, each series a group of those labels.
func callPanels(side, by, legend string) []panel {
	metric := "grpc_" + side + "_"
	rate := func(name, more string) string {
		return "sum by (" + by + ") (rate(" + metric + name + "{SEL" + more + "}[RATE]))"
	}
	none := func(expr string) string { return orNone(expr, "grpc_service") }
	quantile := func(q string) string { // NaN without calls
		return "histogram_quantile(" + q + ", sum by (" + by + ", le) (rate(" + metric + `handling_seconds_bucket{SEL,grpc_type="unary"}[RATE]))) >= 0`
	}
	ended := rate("handled_total", "")
	failures := "(" + rate("handled_total", ","+failureCodes) + " or " + ended + " * 0) / (" + ended + " > 0) or " + ended + " * 0"
	const idle = "no unary calls in this time"
	panels := []panel{
		{title: "Started", description: "Calls that began, each second.", unit: "reqps", queries: []query{{expr: none(rate("started_total", "")), legend: legend}}},
		{title: "Ended, by code", description: "How calls ended, each second.", unit: "reqps", queries: []query{
			{expr: orNone("sum by (grpc_code) (rate("+metric+"handled_total{SEL}[RATE]))", "grpc_code"), legend: "{{grpc_code}}"},
		}},
		{title: "Failures", description: "Share of the calls that ended with a code that is the server's fault.", unit: "percentunit", queries: []query{
			{expr: none(failures), legend: legend},
		}},
		{title: "Latency, median", description: "Half of the unary calls took no longer. Streams live as long as they like and are left out.", unit: "s", empty: idle, queries: []query{
			{expr: quantile("0.5"), legend: legend},
		}},
		{title: "Latency, 99th percentile", description: "All unary calls but one in a hundred took no longer.", unit: "s", empty: idle, queries: []query{
			{expr: quantile("0.99"), legend: legend},
		}},
		{title: "In flight", description: "Calls and streams that have not ended.", unit: "short", queries: []query{
			{expr: none("sum by (" + by + ") (" + metric + "in_flight{SEL})"), legend: legend},
		}},
		{title: "Messages", description: "Messages of streams and unary calls, each second.", unit: "mps", queries: []query{
			{expr: "sum(rate(" + metric + "msg_received_total{SEL}[RATE])) or vector(0)", legend: "received"},
			{expr: "sum(rate(" + metric + "msg_sent_total{SEL}[RATE])) or vector(0)", legend: "sent"},
		}},
	}
	if side == "server" {
		panels = append(panels, panel{title: "Panics", description: "Handlers that panicked. Each also counts as Internal.", unit: "short", queries: []query{
			{expr: none("sum by (" + by + ") (increase(" + metric + "panics_total{SEL}[RATE]))"), legend: legend},
		}})
	}
	return panels
}

// breakerPanels show the circuit breakers, each series a group of those labels.
func breakerPanels(by, legend string) []panel {
	rate := func(name string) string { return orNone("sum by ("+by+") (rate("+name+"[RATE]))", by) }
	return []panel{
		{title: "Breakers", description: "Whether calls pass. Half-open lets a probe through.", kind: "state-timeline", unit: "short", states: closed, empty: "no circuit breakers", queries: []query{
			{expr: "min by (" + by + `) (health_breaker_state{SEL,state="closed"})`, legend: legend},
		}},
		{title: "Rejected calls", description: "Calls that never reached the dependency, each second.", unit: "reqps", queries: []query{
			{expr: rate(`health_breaker_calls_total{SEL,result="rejected"}`), legend: legend},
		}},
		{title: "Failed and slow calls", description: "What opens a breaker, each second.", unit: "reqps", queries: []query{
			{expr: rate(`health_breaker_calls_total{SEL,result="failure"}`), legend: "failed: " + legend},
			{expr: rate(`health_breaker_slow_calls_total{SEL}`), legend: "slow: " + legend},
		}},
		{title: "Transitions", description: "How often breakers opened and closed.", unit: "short", queries: []query{
			{expr: orNone("sum by ("+by+", state) (increase(health_breaker_transitions_total{SEL}[RATE]))", by), legend: legend + " → {{state}}"},
		}},
	}
}
