package browser_test

import (
	"context"
	"errors"
	"net"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"

	"github.com/vitals-go/vitals/checker"
	"github.com/vitals-go/vitals/internal/e2e/testdeps"
	"github.com/vitals-go/vitals/probes"
	"github.com/vitals-go/vitals/servicer"
)

// shop is a server in this process: the real checker, judge and page over checks that fail when the test says so. It
// measures no resources, which are the machine's and not the test's.
type shop struct {
	addr string

	mu     sync.Mutex
	broken map[string]bool
}

// newShop serves until the test ends, with a check of each name.
func newShop(t *testing.T, names ...string) *shop {
	t.Helper()
	s := &shop{broken: map[string]bool{}}
	var checks []checker.Check
	for _, name := range names {
		checks = append(checks, checker.Check{
			Name: name, Interval: 100 * time.Millisecond, Run: func(context.Context) error { return s.ask(name) },
		})
	}
	asks, err := checker.New(checker.Config{Checks: checks})
	if err != nil {
		t.Fatal(err)
	}
	judge, err := servicer.New(servicer.Config{Checker: asks, DrainDelay: -1})
	if err != nil {
		t.Fatal(err)
	}
	handler := newHandler(t, judge)
	var lis net.Listener
	lis, s.addr = listen(t)
	web, err := probes.NewServer(probes.ServerConfig{Handler: handler, Listener: lis})
	if err != nil {
		t.Fatal(err)
	}
	calls, _ := listen(t)
	background(t, asks.Run, handler.Run, web.Run, func(ctx context.Context) error {
		return judge.Serve(ctx, grpc.NewServer(), calls)
	})
	return s
}

// breaks makes a check fail, or heals it.
func (s *shop) breaks(name string, broken bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.broken[name] = broken
}

func (s *shop) ask(name string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.broken[name] {
		return errors.New("the test has broken it")
	}
	return nil
}

// newHandler makes the page of a source, with every cause on it.
func newHandler(t *testing.T, source servicer.ReportSource) *probes.Handler {
	t.Helper()
	handler, err := probes.NewHandler(probes.HandlerConfig{
		Source: source, Title: "shop", Details: servicer.Details{Policy: servicer.DetailsAlways},
	})
	if err != nil {
		t.Fatal(err)
	}
	return handler
}

func listen(t *testing.T) (net.Listener, string) {
	t.Helper()
	lis, err := testdeps.Listen(t, testdeps.Port(t))
	if err != nil {
		t.Fatal(err)
	}
	return lis, lis.Addr().String()
}

// background runs functions until the test ends.
func background(t *testing.T, run ...func(context.Context) error) {
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	for _, f := range run {
		wg.Go(func() {
			if err := f(ctx); err != nil {
				t.Error(err)
			}
		})
	}
	t.Cleanup(func() {
		cancel()
		wg.Wait()
	})
}
