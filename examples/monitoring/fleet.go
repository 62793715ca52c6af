package main

// fleet is the dashboard of all instances together.
func fleet() dashboard {
	return dashboard{
		uid: "vitals-fleet", title: "gRPC health: fleet", many: true,
		description: "Which instances take traffic, what keeps the others from it, and how calls do.",
		rows: []row{
			{"Verdict", fleetVerdict()},
			{"Checks", fleetChecks()},
			{"Calls", callPanels("server", "grpc_service", "{{grpc_service}}")},
			{"Breakers", breakerPanels("breaker", "{{breaker}}")},
		},
	}
}

func fleetVerdict() []panel {
	return []panel{
		{title: "Ready", description: "Instances that take traffic.", kind: "stat", unit: "short", width: 4, queries: []query{
			{expr: `sum(health_status{SEL,service="readiness"})`, legend: "ready", instant: true},
		}},
		{title: "Not ready", description: "Instances that export their health and take no traffic.", kind: "stat", unit: "short", width: 4, queries: []query{
			{expr: `count(health_status{SEL,service="readiness"} == 0) or vector(0)`, legend: "not ready", instant: true},
		}},
		{title: "Silent", description: "Targets that Prometheus cannot scrape.", kind: "stat", unit: "short", width: 4, queries: []query{
			{expr: `count(up{SEL} == 0) or vector(0)`, legend: "silent", instant: true},
		}},
		{title: "Phases", description: "Instances by their phase.", kind: "stat", unit: "short", width: 12, queries: []query{
			{expr: `sum by (phase) (health_phase{SEL})`, legend: "{{phase}}", instant: true},
		}},
		{title: "Readiness", description: "When each instance took traffic.", kind: "state-timeline", unit: "short", states: serving, width: 12, queries: []query{
			{expr: `health_status{SEL,service="readiness"}`, legend: "{{instance}}"},
		}},
		{title: "Overall status", description: "Instances by the worst status of their report. Critical is a fact for a person: it may be a busy CPU.", unit: "short", width: 8, queries: []query{
			{expr: `sum by (state) (health_state{SEL})`, legend: "{{state}}"},
		}},
		{title: "Versions", description: "Instances by version and by the hash of their configuration.", kind: "bargauge", unit: "short", width: 4, queries: []query{
			{expr: `count by (version) (health_info{SEL})`, legend: "{{version}}", instant: true},
			{expr: `count by (hash) (health_config_info{SEL})`, legend: "configuration {{hash}}", instant: true},
		}},
	}
}

func fleetChecks() []panel {
	return []panel{
		{title: "Checks that are not healthy", description: "Instances on which a check warns, fails or tells nothing.", unit: "short", queries: []query{
			{expr: orNone(`sum by (check, state) (health_check_state{SEL,state!="healthy"}) > 0`, "check"), legend: "{{check}} {{state}}"},
		}},
		{title: "Time since the last success", description: "The instance on which it is longest.", unit: "s", empty: "no check has passed", queries: []query{
			{expr: `max by (check) (time() - health_check_last_success_timestamp_seconds{SEL})`, legend: "{{check}}"},
		}},
		{title: "Measurements", description: "The highest of all instances, in the unit that the check measures in.", unit: "short", empty: "no check measures", queries: []query{
			{expr: `max by (check, unit) (health_measurement{SEL})`, legend: "{{check}} {{unit}}"},
		}},
	}
}
