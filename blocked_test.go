package vitals_test

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/test/bufconn"

	"github.com/vitals-go/vitals"
	"github.com/vitals-go/vitals/breaker"
)

// mute is a source of breakers that stops answering when it is told to.
type mute struct {
	mu       sync.Mutex
	changed  chan struct{}
	silent   bool
	released chan struct{}
}

func newMute() *mute { return &mute{changed: make(chan struct{}), released: make(chan struct{})} }

func (m *mute) Snapshots() []breaker.Snapshot {
	m.mu.Lock()
	silent := m.silent
	m.mu.Unlock()
	if silent {
		<-m.released
	}
	return nil
}

func (m *mute) Changed() <-chan struct{} {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.changed
}

// silence makes whoever follows the source ask it once more, in vain.
func (m *mute) silence() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.silent = true
	close(m.changed)
	m.changed = make(chan struct{})
}

// TestBlockedSourceDoesNotKeepServeOrRunFromReturning ends a server, and a Health beside somebody else's, while a source of
// breakers answers neither the judge nor who follows it.
func TestBlockedSourceDoesNotKeepServeOrRunFromReturning(t *testing.T) {
	for name, begin := range map[string]func(*vitals.Health, context.Context) error{
		"Serve": func(h *vitals.Health, ctx context.Context) error {
			return h.Serve(ctx, grpc.NewServer(h.ServerOptions()...), bufconn.Listen(1<<16))
		},
		"Run": (*vitals.Health).Run,
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var log strings.Builder
				source := newMute()
				health, err := vitals.New(vitals.Config{
					Breakers:  []breaker.SnapshotSource{source},
					Resources: unjudged(),
					Logger:    slog.New(slog.NewTextHandler(&log, nil)),
				})
				if err != nil {
					t.Fatal(err)
				}
				ctx, stop := context.WithCancel(t.Context())
				ended := make(chan error, 1)
				go func() { ended <- begin(health, ctx) }()
				synctest.Wait()
				source.silence()
				time.Sleep(time.Second)
				stop()
				select {
				case err := <-ended:
					if err == nil || !strings.Contains(err.Error(), "source Breakers[0] blocks") {
						t.Errorf("it ends with %v", err)
					}
				case <-time.After(time.Minute):
					t.Error("it does not end")
				}
				if !strings.Contains(log.String(), "did not stop: source blocks") {
					t.Errorf("the log does not say so:\n%s", log.String())
				}
				close(source.released)
				synctest.Wait()
			})
		})
	}
}
