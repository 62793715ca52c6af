package supervisor

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/hashicorp/go-hclog"

	kvv1 "github.com/vitals-go/vitals/examples/plugin/kv/v1"
)

// ErrDown is returned while no plugin runs.
var ErrDown = errors.New("the plugin is down")

// Config configures a Supervisor: the program and the timeouts.
type Config struct {
	// Path of the plugin's program, and its arguments. Required.
	Path string
	Args []string
	// Env is added to the host's environment, which every plugin inherits.
	Env []string
	// AutoMTLS enables mutual TLS, which keeps other local processes from connecting to the plugin.
	AutoMTLS bool

	// StartTimeout is how long a plugin may take until it is alive. Default 10 s.
	StartTimeout time.Duration
	// PingInterval and PingTimeout are the time between two pings and the timeout of each. It hangs when it has not
	// answered PingFailures times in a row. Defaults 1 s, 1 s and 3.
	PingInterval time.Duration
	PingTimeout  time.Duration
	PingFailures int
	// FirstPause is the pause before a restart. It doubles up to LastPause, and begins anew once a plugin has lived for
	// longer than that. Defaults 100 ms and 5 s.
	FirstPause time.Duration
	LastPause  time.Duration

	// Logger receives every start and exit, and each change of the plugin's report. Default: discard.
	Logger *slog.Logger
	// PluginLogger gets what the plugin logs. Default: discard.
	PluginLogger hclog.Logger
}

// Supervisor keeps one plugin alive. Create it with New.
type Supervisor struct {
	cfg      Config
	log      *slog.Logger
	current  atomic.Pointer[Plugin] // written by Run
	restarts atomic.Int64           // written by Run
}

// New validates cfg and starts nothing.
func New(cfg Config) (*Supervisor, error) {
	if cfg.Path == "" {
		return nil, errors.New("supervisor: Path is empty")
	}
	for name, value := range map[string]time.Duration{
		"StartTimeout": cfg.StartTimeout, "PingInterval": cfg.PingInterval, "PingTimeout": cfg.PingTimeout,
		"FirstPause": cfg.FirstPause, "LastPause": cfg.LastPause, "PingFailures": time.Duration(cfg.PingFailures),
	} {
		if value < 0 {
			return nil, fmt.Errorf("supervisor: %s is negative", name)
		}
	}
	cfg.StartTimeout = cmp.Or(cfg.StartTimeout, 10*time.Second)
	cfg.PingInterval = cmp.Or(cfg.PingInterval, time.Second)
	cfg.PingTimeout = cmp.Or(cfg.PingTimeout, time.Second)
	cfg.PingFailures = cmp.Or(cfg.PingFailures, 3)
	cfg.FirstPause = cmp.Or(cfg.FirstPause, 100*time.Millisecond)
	cfg.LastPause = max(cmp.Or(cfg.LastPause, 5*time.Second), cfg.FirstPause)
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	if cfg.PluginLogger == nil {
		cfg.PluginLogger = hclog.NewNullLogger()
	}
	return &Supervisor{cfg: cfg, log: cfg.Logger}, nil
}

// Run keeps a plugin alive until ctx ends; then it ends the plugin and returns nil.
func (s *Supervisor) Run(ctx context.Context) error {
	for pause := s.cfg.FirstPause; ctx.Err() == nil; pause = min(2*pause, s.cfg.LastPause) {
		born := time.Now()
		cause := s.live(ctx)
		if time.Since(born) > s.cfg.LastPause {
			pause = s.cfg.FirstPause
		}
		if sleep(ctx, pause) {
			s.restarts.Add(1)
			s.log.LogAttrs(ctx, slog.LevelWarn, "restarting the plugin", slog.Any("cause", cause), slog.Duration("pause", pause))
		}
	}
	return nil
}

// live is one life of the plugin. It returns why it has ended.
func (s *Supervisor) live(ctx context.Context) error {
	p, err := s.start(ctx)
	if err != nil {
		return err
	}
	s.log.LogAttrs(ctx, slog.LevelInfo, "plugin started", slog.String("pid", p.client.ID()))
	s.current.Store(p)
	err = s.attend(ctx, p)
	s.current.Store(nil)
	p.end(errors.Is(err, errHangs))
	return err
}

// Plugin returns the living plugin, nil if there is none just now. It may die at any moment: calls fail with
// UNAVAILABLE then.
func (s *Supervisor) Plugin() *Plugin { return s.current.Load() }

// Restarts returns how often a plugin was started again.
func (s *Supervisor) Restarts() int64 { return s.restarts.Load() }

// Store returns the store of the living plugin, or ErrDown.
func (s *Supervisor) Store() (kvv1.StoreClient, error) {
	p := s.Plugin()
	if p == nil {
		return nil, ErrDown
	}
	return kvv1.NewStoreClient(p.Conn), nil
}

// Check is the plugin's readiness, as a check of the host's own health.
func (s *Supervisor) Check(ctx context.Context) error {
	p := s.Plugin()
	if p == nil {
		return ErrDown
	}
	return p.ready(ctx)
}

// sleep waits for d and reports whether ctx has not ended before.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
