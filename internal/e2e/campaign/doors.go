package main

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"google.golang.org/grpc/codes"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"

	"github.com/vitals-go/vitals/servicer/vitalspb"
)

// A door answers within this time, whatever else is going on: none of them waits for a dependency.
const answerTime = 2 * time.Second

// ask asks every door that is quick to ask.
func (d *doors) ask(ctx context.Context, q *inquiry) {
	d.askAll(ctx, q, d.askCheck, d.askSecond, d.askList, d.askReport, d.askWeb, d.askMetrics, d.askFile)
}

func (d *doors) askAll(ctx context.Context, q *inquiry, questions ...func(context.Context, *inquiry)) {
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	var asking sync.WaitGroup
	for _, question := range questions {
		asking.Go(func() { question(ctx, q) })
	}
	asking.Wait()
}

// names are what grpc.health.v1 is asked for.
func names(t truth) []string {
	return slices.Concat([]string{"", "readiness", "liveness", "startup", inventoryName}, t.present)
}

func (d *doors) askCheck(ctx context.Context, q *inquiry) { askNames(ctx, q, "Check", d.health) }

// askSecond asks the health-only listener.
func (d *doors) askSecond(ctx context.Context, q *inquiry) {
	askNames(ctx, q, "Check (second listener)", d.second)
}

func askNames(ctx context.Context, q *inquiry, door string, client healthpb.HealthClient) {
	for _, name := range names(q.want) {
		resp, err := client.Check(ctx, &healthpb.HealthCheckRequest{Service: name})
		if err != nil {
			q.failed(door, err)
			return
		}
		q.equal(door, fmt.Sprintf("%q", name), resp.GetStatus().String(), q.want.serves(name))
	}
	_, err := client.Check(ctx, &healthpb.HealthCheckRequest{Service: "nobody"})
	q.equal(door, "an unknown name", status.Code(err).String(), codes.NotFound.String())
}

func (d *doors) askList(ctx context.Context, q *inquiry) {
	resp, err := d.health.List(ctx, &healthpb.HealthListRequest{})
	if err != nil {
		q.failed("List", err)
		return
	}
	for _, name := range names(q.want) {
		q.equal("List", fmt.Sprintf("%q", name), resp.GetStatuses()[name].GetStatus().String(), q.want.serves(name))
	}
}

func (d *doors) askReport(ctx context.Context, q *inquiry) {
	report, err := d.reports.GetHealthReport(ctx, &vitalspb.HealthReportRequest{IncludeMethods: true})
	if err != nil {
		q.failed("GetHealthReport", err)
		return
	}
	judgeReport(q, "GetHealthReport", report)
	told, err := time.Parse(time.RFC3339Nano, report.GetTimestamp())
	off := time.Until(told.Add(-q.want.pushed)).Abs()
	q.check("GetHealthReport", "timestamp", report.GetTimestamp(), "our time", err == nil && off < answerTime+2*time.Second)
}

// judgeReport compares an edition of the report with the truth, and with itself.
func judgeReport(q *inquiry, door string, report *vitalspb.HealthReportResponse) {
	q.equal(door, "phase", report.GetPhase(), "ready")
	statuses := map[string]string{}
	for name, metric := range report.GetMetrics() {
		statuses[name] = metric.GetStatus()
	}
	judgeMetrics(q, door, report.GetOverallStatus(), statuses)
	for _, name := range q.want.present {
		value := report.GetMetrics()["breaker_"+name].GetValue()
		if q.want.breakerMustBeOpen(name) {
			q.check(door, "breaker "+name, value, "open or half-open", value == "open" || value == "half-open")
		}
		if q.want.breakerMustBeClosed(name) {
			q.equal(door, "breaker "+name, value, "closed")
		}
	}
	told := map[string]string{}
	for _, name := range report.GetNames() {
		told[name.GetName()] = name.GetStatus()
	}
	for _, name := range names(q.want) {
		q.equal(door, fmt.Sprintf("name %q", name), told[name], q.want.serves(name))
	}
}

// badness orders statuses as the report does.
var badness = []string{"healthy", "warning", "unknown", "critical"}

// judgeMetrics compares the statuses of dependencies with the truth, and wants the overall status to be the worst one.
func judgeMetrics(q *inquiry, door, overall string, statuses map[string]string) {
	for _, name := range q.want.present {
		q.equal(door, "dependency "+name, statuses["dependency_"+name], q.want.status(name))
	}
	worst := 0
	for _, status := range statuses {
		worst = max(worst, slices.Index(badness, status))
	}
	q.equal(door, "overall status", overall, badness[worst])
}
