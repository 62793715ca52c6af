package faults

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/prototext"
	"google.golang.org/protobuf/proto"

	inventoryv1 "github.com/vitals-go/vitals/examples/inventory/v1"
	"github.com/vitals-go/vitals/internal/e2e/oracle"
	"github.com/vitals-go/vitals/internal/e2e/testdeps"
	"github.com/vitals-go/vitals/servicer/vitalspb"
)

// What is planted. Drivers put the names into their errors; no password may come even into the log.
const (
	secret   = "hunter2"
	name     = secret + "_name"
	password = secret + "_password"
)

// planted is a server whose every dependency has a secret in its address and fails: the database, if that is
// PostgreSQL, after it has worked, and in the middle of calls, whose errors are looked at.
func planted(t *testing.T, look func(door, text string), env ...string) *process {
	t.Helper()
	pg := testdeps.NewPostgres(t)
	makeDatabase(t, pg)
	nobody := func() string { return testdeps.Addr(testdeps.Port(t)) }
	folder := filepath.Join(t.TempDir(), secret)
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	p := startServer(t, append([]string{
		"DATABASE_URL=" + strings.Replace(pg.URL(name), ":secret@", ":"+password+"@", 1),
		"REDIS_URL=redis://" + name + ":" + password + "@" + nobody() + "/0",
		"EXTERNAL_API_URL=http://" + name + ":" + password + "@" + nobody() + "/" + name,
		"UPSTREAM_ADDR=" + nobody(),
		"PLUGIN_HEALTH_FILE_PATH=" + filepath.Join(folder, "health"),
	}, env...)...)
	p.File = filepath.Join(folder, "health")
	if len(env) == 0 || !strings.HasPrefix(env[0], "DATABASE_URL=") {
		p.becomes("database", serving)
		pg.Stop()
	}
	p.traffic(look)
	p.breaks()
	return p
}

func makeDatabase(t *testing.T, pg *testdeps.Postgres) {
	t.Helper()
	db, err := sql.Open("pgx", pg.URL("postgres"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.ExecContext(t.Context(), "CREATE DATABASE "+name); err != nil {
		t.Fatal(err)
	}
}

// breaks waits until every dependency has failed.
func (p *process) breaks() {
	p.t.Helper()
	p.becomes("liveness", serving)
	testdeps.Eventually(p.t, patience, func() error {
		report, err := p.Reports.GetHealthReport(p.t.Context(), &vitalspb.HealthReportRequest{})
		if err != nil {
			return err
		}
		for _, check := range []string{"database", "cache", "external_api", "upstream"} {
			if s := report.GetMetrics()["dependency_"+check].GetStatus(); s != "critical" && s != "warning" {
				return fmt.Errorf("%s is %s", check, s)
			}
		}
		_, err = os.Stat(p.File)
		return err
	})
}

// TestSecretsStayInside looks behind every door that is open to strangers.
func TestSecretsStayInside(t *testing.T) {
	t.Parallel()
	for store, env := range map[string][]string{
		"PostgreSQL": nil,
		"SQLite":     {"DATABASE_URL=", "INVENTORY_DB=" + filepath.Join(t.TempDir(), name, "inventory.db")}, // There is no such folder.
	} {
		look := func(door, text string) {
			if strings.Contains(text, secret) {
				t.Errorf("%s: %s shows the secret:\n%s", store, door, text)
			}
		}
		p := planted(t, look, env...)
		p.everyDoor(nil, nil, look)
		log := p.Output()
		if !strings.Contains(log, name) {
			t.Errorf("%s: the log does not say why:\n%s", store, log)
		}
		if strings.Contains(log, password) {
			t.Errorf("%s: the log holds a password", store)
		}
	}
}

// TestSecretsForTheAuthorised shows causes to everybody, or to callers on this machine that are no proxies.
func TestSecretsForTheAuthorised(t *testing.T) {
	t.Parallel()
	proxy := []string{"X-Forwarded-For", "192.0.2.7"}
	for policy, forwardedToo := range map[string]bool{"always": true, "local": false} {
		p := planted(t, func(string, string) {}, "PLUGIN_HEALTH_DETAILS="+policy)
		p.namesDatabase()
		p.shows(policy+" to a local caller", nil, true)
		p.shows(policy+" to a proxy", proxy, forwardedToo)
	}
}

// namesDatabase waits until the database's failure is one that names it. The first ones may not: PostgreSQL ends with
// connections open, which are cut off without a word, and a breaker that they open tells of the last of them.
func (p *process) namesDatabase() {
	p.t.Helper()
	testdeps.Eventually(p.t, patience, func() error {
		report, err := p.Reports.GetHealthReport(p.t.Context(), &vitalspb.HealthReportRequest{})
		if detail := report.GetMetrics()["dependency_database"].GetDetail(); err != nil || !strings.Contains(detail, name) {
			return fmt.Errorf("the database's failure is told as %q (%w)", detail, orNone(err))
		}
		return nil
	})
}

// shows wants the doors that tell causes to tell them, or no door to.
func (p *process) shows(who string, header []string, want bool) {
	p.t.Helper()
	shown := make(map[string]bool)
	p.everyDoor(header, metadata.Pairs(lower(header)...), func(door, text string) {
		if !strings.Contains(text, secret) {
			return
		}
		shown[door] = true
		if !want {
			p.t.Errorf("%s: %s shows the secret:\n%s", who, door, text)
		}
		if strings.Contains(text, password) {
			p.t.Errorf("%s: %s shows a password:\n%s", who, door, text)
		}
	})
	for _, door := range []string{"/health", "/health/database", "GetHealthReport", "WatchHealthReport"} {
		if shown[door] != want {
			p.t.Errorf("%s: %s shows the cause: %t, want %t", who, door, shown[door], want)
		}
	}
	for _, door := range []string{"/metrics", "Check", "Watch", "List", "file", "Get", "Put"} {
		if shown[door] {
			p.t.Errorf("%s: %s shows the cause, whoever comes", who, door)
		}
	}
}

func lower(list []string) []string {
	out := make([]string, len(list))
	for i, text := range list {
		out[i] = strings.ToLower(text)
	}
	return out
}

// traffic looks at what calls are told while the breakers open, and then by the breakers.
func (p *process) traffic(look func(door, text string)) {
	for range 4 {
		p.serviceDoors(p.t.Context(), look)
	}
}

// everyDoor passes to look all that each door says.
func (p *process) everyDoor(header []string, md metadata.MD, look func(door, text string)) {
	p.t.Helper()
	p.httpDoors(header, look)
	ctx, cancel := context.WithTimeout(metadata.NewOutgoingContext(p.t.Context(), md), patience)
	defer cancel()
	p.healthDoors(ctx, look)
	p.reportDoors(ctx, look)
	p.serviceDoors(ctx, look)
	text, err := os.ReadFile(p.File)
	if err != nil {
		p.t.Error(err)
	}
	look("file", string(text))
}

func (p *process) httpDoors(header []string, look func(door, text string)) {
	paths := []string{"/", "/nothing", "/metrics", "/health/badge.svg", "/health/nobody"}
	for _, path := range []string{
		"/health", "/live", "/livez", "/ready", "/readyz", "/startup", "/startupz", "/health/database", "/health/cache",
		"/health/external_api", "/health/upstream", "/health/dependency_database", "/health/breaker_database",
		"/health/breaker_upstream", "/health/cpu_usage",
	} {
		for _, query := range []string{"", "?verbose", "?strict", "?format=json", "?format=health", "?format=html", "?exclude=database", "?format=nonsense"} {
			paths = append(paths, path+query)
		}
	}
	for _, path := range paths {
		for _, accept := range []string{"*/*", "text/html", "application/health+json"} {
			_, text, err := p.get(path, append([]string{"Accept", accept}, header...)...)
			if err != nil {
				p.t.Error(err)
			}
			look(path, text)
		}
	}
}

func (p *process) healthDoors(ctx context.Context, look func(door, text string)) {
	for _, name := range []string{"", "readiness", "liveness", "database", "cache", oracle.Service, "nobody"} {
		look("Check", said(func(options ...grpc.CallOption) (proto.Message, error) {
			return p.Health.Check(ctx, &healthpb.HealthCheckRequest{Service: name}, options...)
		}))
		look("Watch", received(ctx, func(ctx context.Context) (grpc.ServerStreamingClient[healthpb.HealthCheckResponse], error) {
			return p.Health.Watch(ctx, &healthpb.HealthCheckRequest{Service: name})
		}))
	}
	look("List", said(func(options ...grpc.CallOption) (proto.Message, error) {
		return p.Health.List(ctx, &healthpb.HealthListRequest{}, options...)
	}))
}

func (p *process) reportDoors(ctx context.Context, look func(door, text string)) {
	look("GetHealthReport", said(func(options ...grpc.CallOption) (proto.Message, error) {
		return p.Reports.GetHealthReport(ctx, &vitalspb.HealthReportRequest{IncludeMethods: true}, options...)
	}))
	look("WatchHealthReport", received(ctx, func(ctx context.Context) (grpc.ServerStreamingClient[vitalspb.HealthReportResponse], error) {
		return p.Reports.WatchHealthReport(ctx, &vitalspb.WatchHealthReportRequest{IncludeMethods: true, MinIntervalSeconds: .1})
	}))
}

// serviceDoors are those of the service itself, whose errors tell of the same dependencies.
func (p *process) serviceDoors(ctx context.Context, look func(door, text string)) {
	item := &inventoryv1.Item{Sku: "bolt", Name: "Any", Quantity: 1}
	look("Put", said(func(options ...grpc.CallOption) (proto.Message, error) {
		return p.Items.Put(ctx, &inventoryv1.PutRequest{Item: item}, options...)
	}))
	look("Get", said(func(options ...grpc.CallOption) (proto.Message, error) {
		return p.Items.Get(ctx, &inventoryv1.GetRequest{Sku: "bolt"}, options...)
	}))
	look("List of items", said(func(options ...grpc.CallOption) (proto.Message, error) {
		return p.Items.List(ctx, &inventoryv1.ListRequest{}, options...)
	}))
	look("Delete", said(func(options ...grpc.CallOption) (proto.Message, error) {
		return p.Items.Delete(ctx, &inventoryv1.DeleteRequest{Sku: "bolt"}, options...)
	}))
	look("Watch of items", received(ctx, func(ctx context.Context) (grpc.ServerStreamingClient[inventoryv1.WatchResponse], error) {
		return p.Items.Watch(ctx, &inventoryv1.WatchRequest{AfterRevision: proto.Int64(0)})
	}))
}

// said is all that a call has brought: message or status with its details, header and trailer.
func said(call func(...grpc.CallOption) (proto.Message, error)) string {
	var header, trailer metadata.MD
	message, err := call(grpc.Header(&header), grpc.Trailer(&trailer))
	if err != nil {
		message = status.Convert(err).Proto()
	}
	return fmt.Sprint(prototext.Format(message), header, trailer)
}

// received is what a stream has to say, first of all and within a moment after that, and how it ends.
func received[T any](ctx context.Context, open func(context.Context) (grpc.ServerStreamingClient[T], error)) string {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	stream, err := open(ctx)
	var text strings.Builder
	for err == nil {
		var message *T
		if message, err = stream.Recv(); err == nil {
			time.AfterFunc(200*time.Millisecond, cancel)
			text.WriteString(prototext.Format(any(message).(proto.Message)))
		}
	}
	if !errors.Is(err, io.EOF) {
		text.WriteString(prototext.Format(status.Convert(err).Proto()))
	}
	if stream != nil {
		fmt.Fprint(&text, stream.Trailer())
	}
	return text.String()
}
