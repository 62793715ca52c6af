package main

// instance is the dashboard of one instance.
func instance() dashboard {
	return dashboard{
		uid: "vitals-instance", title: "gRPC health: one instance",
		description: "Everything that one instance says about itself.",
		rows: []row{
			{"Verdict", instanceVerdict()},
			{"Checks", instanceChecks()},
			{"Calls served", callPanels("server", "grpc_service, grpc_method", "{{grpc_service}}/{{grpc_method}}")},
			{"Calls made", callPanels("client", "grpc_service, grpc_method", "{{grpc_service}}/{{grpc_method}}")},
			{"Breakers", breakerPanels("breaker", "{{breaker}}")},
			{"Process", process()},
		},
	}
}

func instanceVerdict() []panel {
	return []panel{
		{title: "Overall status", description: "The worst status of all metrics of the report.", kind: "stat", unit: "short", width: 6, queries: []query{
			{expr: `health_state{SEL} == 1`, legend: "{{state}}", instant: true},
		}},
		{title: "Phase", description: "Where the process is in its life.", empty: "standby", kind: "stat", unit: "short", width: 6, queries: []query{
			{expr: `health_phase{SEL} == 1 unless on (job, instance) (health_standby{SEL} == 1)`, legend: "{{phase}}", instant: true},
		}},
		{title: "Version", description: "What runs.", kind: "stat", unit: "short", width: 6, queries: []query{
			{expr: `health_info{SEL}`, legend: "{{version}}", instant: true},
			{expr: `health_config_info{SEL}`, legend: "configuration {{hash}}", instant: true},
		}},
		{title: "Watchers", description: "Clients and meshes that follow this instance's health.", kind: "stat", unit: "short", width: 6, queries: []query{
			{expr: `health_watch_streams{SEL}`, legend: "watchers", instant: true},
		}},
		{title: "Probers", description: "Who requests health, how often, and what is wrong with it: a name that does not exist, or an end of regular requests.", empty: "no probers", unit: "ops", width: 12, queries: []query{
			{expr: `rate(health_probes_total{SEL}[RATE])`, legend: "{{prober}} {{protocol}} {{name}}"},
		}},
		{title: "Probers in trouble", description: "Unknown: the name or path does not exist. Stopped: regular requests have ended.", empty: "no probers", kind: "state-timeline", unit: "short", width: 12, states: map[string]state{"1": {"so", "red"}, "0": {"not so", "green"}}, queries: []query{
			{expr: `health_probe_state{SEL,state!="ok"}`, legend: "{{prober}} {{protocol}} {{name}} {{state}}"},
		}},
		{title: "Override and shadow", description: "An override is in force; a name that would not serve with what is in shadow.", kind: "state-timeline", unit: "short", states: map[string]state{"1": {"yes", "orange"}, "0": {"no", "green"}}, width: 24, queries: []query{
			{expr: `health_override{SEL}`, legend: "override"},
			{expr: orNone(`health_shadow{SEL}`, "service"), legend: "shadow: {{service}}"},
		}},
		{title: "Names of grpc.health.v1", description: "What each name answered. The empty name is the whole server.", kind: "state-timeline", unit: "short", states: serving, width: 24, queries: []query{
			{expr: `health_status{SEL}`, legend: "{{service}}"},
		}},
	}
}

func instanceChecks() []panel {
	return []panel{
		{title: "States", description: "Checks that are not healthy, by the state that they are in.", empty: "no checks", kind: "state-timeline", unit: "short", width: 12, states: map[string]state{"1": {"so", "red"}, "0": {"not so", "green"}}, queries: []query{
			{expr: `health_check_state{SEL,state!="healthy"} unless on (job, instance, check) health_check_caused{SEL}`, legend: "{{check}} {{state}}"},
		}},
		{title: "Failures in a row", description: "A check whose threshold is above one fails before it is critical.", empty: "no checks", unit: "short", width: 12, queries: []query{
			{expr: `health_check_consecutive_failures{SEL}`, legend: "{{check}}"},
		}},
		{title: "Runs", description: "Runs each second, by the status that they led to.", empty: "no checks", unit: "ops", queries: []query{
			{expr: `sum by (service, status) (rate(health_checks_total{SEL}[RATE]))`, legend: "{{service}} {{status}}"},
		}},
		{title: "Duration of the runs", description: "All runs but one in twenty took no longer.", empty: "no check has run in this time", unit: "s", queries: []query{
			{expr: `histogram_quantile(0.95, sum by (service, le) (rate(health_check_duration_seconds_bucket{SEL}[RATE]))) >= 0`, legend: "{{service}}"},
		}},
		{title: "Measurements", description: "What the checks measure, in their units.", empty: "no check measures", unit: "short", queries: []query{
			{expr: `health_measurement{SEL} or health_check_value{SEL}`, legend: "{{check}} {{name}} {{unit}}"},
		}},
	}
}

func process() []panel {
	return []panel{
		{title: "CPU", description: "Cores in use, as the process collector of client_golang counts them.", unit: "short", queries: []query{
			{expr: `rate(process_cpu_seconds_total{SEL}[RATE])`, legend: "cores"},
		}},
		{title: "Memory", description: "Resident memory, and the heap that Go has in use.", unit: "bytes", queries: []query{
			{expr: `process_resident_memory_bytes{SEL}`, legend: "resident"},
			{expr: `go_memstats_heap_inuse_bytes{SEL}`, legend: "heap"},
		}},
		{title: "Goroutines", description: "A number that only grows is a leak.", unit: "short", queries: []query{
			{expr: `go_goroutines{SEL}`, legend: "goroutines"},
		}},
	}
}
