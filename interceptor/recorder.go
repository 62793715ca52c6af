package interceptor

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"google.golang.org/grpc"
)

// Config tells a Recorder what to count. The zero value of every field is the default that the field documents.
type Config struct {
	// Window is how far back Snapshot's windows look. It slides in steps of a twelfth. Default 60 s.
	Window time.Duration
	// MaxMethods bounds, for each side, how many methods get an entry because a call named them: on the server only
	// until Register, on the client for ever. Further names share one entry. Operations have as many again, until
	// RegisterOperations. Default 1000; negative means none.
	MaxMethods int
	// Skip reports whether a gRPC call, on either side, is not counted; fullMethod is /service/method. It runs on every
	// call. Default: IsInfrastructure, which costs a call nothing.
	Skip func(ctx context.Context, fullMethod string) bool
	// Exemplar returns labels that lead from a latency to one call behind it, such as its trace_id, from the context of a
	// call that has ended; nil if nothing leads there, because its span is not sampled. otelvitals.Exemplar does that. It
	// is asked when a method has had no example for a second of its step of latency (1, 2.5, 5 of a decade) and of its
	// fate, OK or not: until a call answers, it is asked of each. What is returned must not be changed afterwards.
	// Default: none, which costs a call one comparison.
	Exemplar func(ctx context.Context) map[string]string
	// MinDeadline is the least time that a caller must have left a call, when it began, for DeadlineExceeded to be a
	// failure: a handler that hardly ran is not at fault. Default 100 ms; negative means that all are failures.
	MinDeadline time.Duration
	// Logger receives the panics that ServerOptions recovers from, and a warning when MaxMethods is reached. Default
	// slog.Default().
	Logger *slog.Logger
}

// Recorder counts calls, on the server and on the client side. Create it with New. All methods may be called
// concurrently.
type Recorder struct {
	config      Config
	log         logger
	minDeadline time.Duration
	// base is the birth of the Recorder: all times are distances from it, because reading only the monotonic clock
	// costs half of time.Now.
	base   time.Time
	server *side
	client *side
	// exemplarPanic says once that Config.Exemplar panics.
	exemplarPanic sync.Once
}

// New returns a Recorder. It starts nothing. The error joins all mistakes in config, each naming its field.
func New(config Config) (*Recorder, error) {
	config.setDefaults()
	if err := config.check(); err != nil {
		return nil, err
	}
	r := &Recorder{config: config, log: newLogger(config.Logger), minDeadline: config.MinDeadline, base: time.Now()}
	r.server = newSide(&r.config, r.log, false)
	r.client = newSide(&r.config, r.log, true)
	return r, nil
}

func (c *Config) setDefaults() {
	if c.Window == 0 {
		c.Window = time.Minute
	}
	if c.MaxMethods == 0 {
		c.MaxMethods = 1000
	}
	if c.MinDeadline == 0 {
		c.MinDeadline = 100 * time.Millisecond
	}
}

func (c *Config) check() error {
	if c.Window < 0 {
		return fmt.Errorf("interceptor: Window: got %v, want more than 0", c.Window)
	}
	return nil
}

// Register enters the methods of a server, usually a *grpc.Server, so that they are in every Snapshot before they are
// called. From then on server calls to other names share one entry: strangers cannot make the Recorder grow. Call it
// after the services were registered and before serving; call it again for each further server.
func (r *Recorder) Register(server interface {
	GetServiceInfo() map[string]grpc.ServiceInfo
},
) {
	r.server.register(server.GetServiceInfo())
}

// now is the time since the Recorder's birth.
func (r *Recorder) now() time.Duration { return time.Since(r.base) }
