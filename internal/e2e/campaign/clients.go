package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	healthpb "google.golang.org/grpc/health/grpc_health_v1"

	"github.com/vitals-go/vitals/internal/e2e/endpoints"
	"github.com/vitals-go/vitals/internal/e2e/rig"
	"github.com/vitals-go/vitals/servicer/vitalspb"
)

// clients is how many streams are opened and dropped, and how many probers come at once.
const clients = 40

// dropWatchers opens many streams on a connection of their own and cuts it off. The server counts them, and forgets
// them.
func (c *campaign) dropWatchers(ctx context.Context) error {
	before, err := c.watchStreams(ctx)
	if err != nil {
		return err
	}
	conn, err := endpoints.Dial(c.endpoints.Addr)
	if err != nil {
		return err
	}
	defer conn.Close()
	health, reports := healthpb.NewHealthClient(conn), vitalspb.NewHealthReportServiceClient(conn)
	for n := range clients {
		name := fmt.Sprintf("nobody-%d", n/2) // Half of them share a name that is unknown.
		stream, err := health.Watch(ctx, &healthpb.HealthCheckRequest{Service: name})
		if err == nil {
			_, err = stream.Recv()
		}
		editions, editionsErr := reports.WatchHealthReport(ctx, &vitalspb.WatchHealthReportRequest{})
		if editionsErr == nil {
			_, editionsErr = editions.Recv()
		}
		if err := errors.Join(err, editionsErr); err != nil {
			return fmt.Errorf("stream %d: %w", n, err)
		}
	}
	if err := c.streamsBecome(ctx, before+clients); err != nil {
		return err
	}
	_ = conn.Close()
	return c.streamsBecome(ctx, before)
}

// watchStreams is how many Watch streams the server says that it has.
func (c *campaign) watchStreams(ctx context.Context) (int, error) {
	_, body, err := c.endpoints.Get(ctx, "/metrics")
	if err != nil {
		return 0, err
	}
	all, err := endpoints.ParseMetrics(body)
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(all["health_watch_streams"])
}

func (c *campaign) streamsBecome(ctx context.Context, want int) error {
	return rig.Eventually(ctx, c.allowance, func() error {
		got, err := c.watchStreams(ctx)
		if err == nil && got != want {
			err = fmt.Errorf("the server counts %d Watch streams, want %d", got, want)
		}
		return err
	})
}

// flood makes many probes at once, on every endpoint.
func (c *campaign) flood(ctx context.Context) error {
	q := c.compare()
	c.endpoints.Flood(ctx, q, clients)
	c.tally.asked(q)
	return q.Err()
}

// scrape reads /metrics many times, and wants no counter to go back.
func (c *campaign) scrape(ctx context.Context) error {
	var (
		scrapers sync.WaitGroup
		errs     [clients]error
	)
	for i := range errs {
		scrapers.Go(func() {
			last := endpoints.Series{}
			for range 3 {
				_, body, err := c.endpoints.Get(ctx, "/metrics")
				now, parseErr := endpoints.ParseMetrics(body)
				if errs[i] = errors.Join(err, parseErr, backwards(last, now)); errs[i] != nil {
					return
				}
				last = now
			}
		})
	}
	scrapers.Wait()
	return errors.Join(errs[:]...)
}

// backwards names a counter that is less than it was.
func backwards(before, after endpoints.Series) error {
	for name, was := range before {
		family, _, _ := strings.Cut(name, "{")
		if !strings.HasSuffix(family, "_total") && !strings.HasSuffix(family, "_count") && !strings.HasSuffix(family, "_bucket") {
			continue
		}
		first, firstErr := strconv.ParseFloat(was, 64)
		second, secondErr := strconv.ParseFloat(after[name], 64)
		if err := errors.Join(firstErr, secondErr); err != nil || second < first {
			return fmt.Errorf("%s was %s and is %q: %w", name, was, after[name], err)
		}
	}
	return nil
}

// nonsense are values that each variable refuses.
var nonsense = [][2]string{
	{"INVENTORY_ADDR", "here"},
	{"DATABASE_URL", "postgres://%%"},
	{"REDIS_URL", "http://cache"},
	{"EXTERNAL_API_URL", "prices"},
	{"INVENTORY_TESTSERVICE", "perhaps"},
	{"UPSTREAM_TLS_CA", "/nonexistent"},
	{"INVENTORY_TLS_CERT", "/nonexistent"},
	{"PLUGIN_HEALTH_CHECK_INTERVAL", "often"},
	{"PLUGIN_HEALTH_CHECK_TIMEOUT", "-1"},
	{"PLUGIN_RESOURCE_CPU_THRESHOLD", "200"},
	{"PLUGIN_RESOURCE_MEMORY_THRESHOLD", "much"},
	{"PLUGIN_RESOURCE_DISK_THRESHOLD", "0"},
	{"PLUGIN_ENABLE_PROMETHEUS", "maybe"},
	{"PLUGIN_HEALTH_DRAIN_DELAY", "-5"},
	{"PLUGIN_HEALTH_SHUTDOWN_TIMEOUT", "0"},
	{"PLUGIN_HEALTH_DETAILS", "sometimes"},
	{"PLUGIN_HEALTH_OPTIONAL_CHECKS", "a,,b"},
}

// misconfigure starts the program once more, with some wrong variables: it has to name each of them, and touch nothing.
func (c *campaign) misconfigure(ctx context.Context, s step) error {
	folder, err := os.MkdirTemp(c.scratch, "wrong-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(folder) }()
	ctx, cancel := context.WithTimeout(ctx, c.allowance)
	defer cancel()
	cmd := exec.CommandContext(ctx, c.endpoints.Binary)
	cmd.Dir, cmd.Env = folder, []string{"HOME=" + folder, "PLUGIN_HEALTH_FILE_PATH=" + filepath.Join(folder, "health")}
	var wrong []string
	for i, variable := range nonsense {
		if s.draw>>i&1 == 1 || i == int(s.draw%uint64(len(nonsense))) {
			cmd.Env = append(cmd.Env, variable[0]+"="+variable[1])
			wrong = append(wrong, variable[0])
		}
	}
	began := time.Now()
	output, _ := cmd.CombinedOutput() // The state says it.
	if code := cmd.ProcessState.ExitCode(); code != 1 {
		return fmt.Errorf("with wrong %v the program ended with exit code %d after %v:\n%s", wrong, code, time.Since(began), output)
	}
	for _, name := range wrong {
		if !strings.Contains(string(output), name) {
			return fmt.Errorf("with wrong %v the program does not name %s:\n%s", wrong, name, output)
		}
	}
	left, err := os.ReadDir(folder)
	if len(left) > 0 {
		return fmt.Errorf("with wrong %v the program has left %v", wrong, left)
	}
	return err
}
