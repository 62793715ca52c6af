package vitals_test

import (
	"context"
	"errors"
	"log/slog"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vitals-go/vitals"
	"github.com/vitals-go/vitals/checker"
	"github.com/vitals-go/vitals/checker/resource"
	"github.com/vitals-go/vitals/internal/logtest"
)

// story runs a Health with the checks a and b, which gate, and an optional one, and returns its log without times. Act
// switches them.
func story(t *testing.T, act func(h *vitals.Health, down map[string]*atomic.Bool)) (log string) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		var lines logtest.Log
		down := map[string]*atomic.Bool{}
		var deps []checker.Check
		for _, name := range []string{"a", "b", "optional"} {
			broken := new(atomic.Bool)
			down[name] = broken
			deps = append(deps, checker.Check{
				Name: name, Interval: time.Second, Jitter: -1, Optional: name == "optional",
				Run: func(context.Context) error {
					if broken.Load() {
						return errors.New(name + " refused")
					}
					return nil
				},
			})
		}
		quiet := map[string]checker.Limit{} // no resource ever has a line
		for _, name := range []string{"cpu_usage", "memory_usage", "disk_usage", "open_files", "pids"} {
			quiet[name] = checker.Limit{}
		}
		cfg := vitals.Config{Dependencies: deps, Resources: resource.Config{Limits: quiet}, Logger: slog.New(slog.NewTextHandler(&lines, nil))}
		cfg.Server.Services = []string{"grpc.health.v1.Health", "shop.v1.Orders", "vitals.v1.HealthReportService"}
		h, err := vitals.New(cfg)
		if err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- h.Run(ctx) }()
		call := h.Recorder().Begin(ctx, "shop.v1.Orders", "Get") // a server without calls has another line
		call.End(new(error))
		time.Sleep(time.Minute)
		act(h, down)
		time.Sleep(time.Minute)
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		log = regexp.MustCompile(`time=\S+ |vitals.(logger|failures|duration|was|status)=\S+ ?`).ReplaceAllString(lines.String(), "")
	})
	return log
}

const (
	begin = `level=INFO msg="server is serving" vitals.names="[server shop.v1.Orders]" vitals.previous_for=0s` + "\n"
	end   = `level=INFO msg="phase is draining" vitals.from=ready vitals.to=draining` + "\n" +
		`level=INFO msg="phase is stopped" vitals.from=draining vitals.to=stopped` + "\n"
)

func TestLogTellsAStory(t *testing.T) {
	for name, test := range map[string]struct {
		act  func(h *vitals.Health, down map[string]*atomic.Bool)
		want string
	}{
		"an outage": {func(_ *vitals.Health, down map[string]*atomic.Bool) {
			down["a"].Store(true)
			time.Sleep(time.Minute)
			down["a"].Store(false)
		}, `level=ERROR msg="server is not serving: Dependency a is unavailable" vitals.names="[server shop.v1.Orders]" vitals.previous_for=1m0s vitals.check=a vitals.reason=error vitals.error="a refused"
level=INFO msg="server is serving: Dependency a is available" vitals.names="[server shop.v1.Orders]" vitals.previous_for=1m0s vitals.check=a vitals.reason=ok
`},
		"one during another": {func(_ *vitals.Health, down map[string]*atomic.Bool) {
			for _, change := range []struct {
				check string
				down  bool
			}{{"b", true}, {"a", true}, {"a", false}, {"b", false}} {
				down[change.check].Store(change.down)
				time.Sleep(10 * time.Second)
			}
		}, `level=ERROR msg="server is not serving: Dependency b is unavailable" vitals.names="[server shop.v1.Orders]" vitals.previous_for=1m0s vitals.check=b vitals.reason=error vitals.error="b refused"
level=ERROR msg="Dependency a is unavailable" vitals.check=a vitals.reason=error vitals.previous_for=1m10s vitals.error="a refused"
level=INFO msg="Dependency a is available" vitals.check=a vitals.reason=ok vitals.previous_for=10s
level=INFO msg="server is serving: Dependency b is available" vitals.names="[server shop.v1.Orders]" vitals.previous_for=30s vitals.check=b vitals.reason=ok
`},
		"an optional dependency": {func(_ *vitals.Health, down map[string]*atomic.Bool) {
			down["optional"].Store(true)
			time.Sleep(6 * time.Minute)
			down["optional"].Store(false)
		}, `level=WARN msg="Dependency optional is unavailable" vitals.check=optional vitals.reason=error vitals.previous_for=1m0s vitals.error="optional refused"
level=WARN msg="Dependency optional is unavailable" vitals.check=optional vitals.reason=error vitals.error="optional refused" vitals.reminder=true vitals.since=…
level=INFO msg="Dependency optional is available" vitals.check=optional vitals.reason=ok vitals.previous_for=6m0s
`},
		"on purpose": {func(h *vitals.Health, _ map[string]*atomic.Bool) {
			if err := h.Server().SetMaintenance("shop.v1.Orders", "restocking", time.Minute); err != nil {
				t.Error(err)
			}
			time.Sleep(2 * time.Minute)
			h.Server().SetStandby(true)
			time.Sleep(time.Minute)
			h.Server().SetStandby(false)
		}, `level=WARN msg="shop.v1.Orders is not serving: maintenance: restocking" vitals.names=[shop.v1.Orders] vitals.previous_for=1m0s vitals.reason=maintenance
level=INFO msg="shop.v1.Orders is serving" vitals.names=[shop.v1.Orders] vitals.previous_for=1m0s
level=INFO msg="server is not serving: standby" vitals.names="[server shop.v1.Orders]" vitals.previous_for=3m0s vitals.reason=standby
level=INFO msg="server is serving" vitals.names="[server shop.v1.Orders]" vitals.previous_for=1m0s
`},
	} {
		got := regexp.MustCompile(`since=\S+`).ReplaceAllString(story(t, test.act), "since=…")
		got = regexp.MustCompile(`previous_for=\S+`).ReplaceAllStringFunc(got, func(text string) string {
			d, err := time.ParseDuration(strings.TrimPrefix(text, "previous_for="))
			if err != nil {
				t.Error(err)
			}
			return "previous_for=" + d.Round(10*time.Second).String() // a check runs at any time within its interval
		})
		if want := begin + test.want + end; strings.ReplaceAll(got, " \n", "\n") != want {
			t.Errorf("%s: the log is\n%swant\n%s", name, got, want)
		}
	}
}
