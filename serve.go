package vitals

import (
	"context"
	"errors"
	"net"
	"reflect"
	"slices"

	"google.golang.org/grpc"

	"github.com/vitals-go/vitals/internal/asynclog"
	"github.com/vitals-go/vitals/internal/connlimit"
	"github.com/vitals-go/vitals/servicer"
)

var errUsed = errors.New("vitals: Serve or Run has been called already")

// Serve registers what is missing on server, as Register does, opens the listeners of the Config, runs the checks and serves
// lis. When ctx is done it drains as servicer.Server.Drain documents. Register the application's own services before. Serve
// handles no signal: pass a context of signal.NotifyContext.
//
// It blocks until everything it started has ended, and closes lis in every case but one: a second call with the listener of
// the first, which goes on. It returns nil after a complete drain,
// otherwise all errors: of a listener that cannot be opened (then nothing is served), of a component, of calls that were
// cut off. A component that does not stop, because it is blocked in a breaker.SnapshotSource, a file system or a log
// handler, is left behind after 6 s, evaluation after 10 s; the error names it. Call Serve or Run, once.
func (h *Health) Serve(ctx context.Context, server *grpc.Server, lis net.Listener) error {
	return h.ServeAll(ctx, servicer.Endpoint{Server: server, Listener: lis})
}

// ServeAll is Serve for any number of servers with one health, such as a public and an internal one. They are drained
// together; when one of them fails or is stopped, all are.
func (h *Health) ServeAll(ctx context.Context, endpoints ...servicer.Endpoint) error {
	return h.serve(ctx, slices.Clone(endpoints)...)
}

// Run is Serve without a server: for servers that other code serves, such as a framework, or for a process without one. It
// returns once the drain delay is over, Watch streams have ended and everything it started has stopped; stop your servers
// after that. Beside a server of PluginServer there is no delay. ServerOptions and Register, or PluginServer, connect your
// servers.
func (h *Health) Run(ctx context.Context) error { return h.serve(ctx) }

func (h *Health) serve(ctx context.Context, endpoints ...servicer.Endpoint) error {
	defer h.flushLogs()
	err := h.serveUntil(ctx, endpoints)
	h.endWithError(err)
	return err
}

func (h *Health) serveUntil(ctx context.Context, endpoints []servicer.Endpoint) error {
	var listeners listeners
	err := h.complete(endpoints)
	if err == nil {
		listeners, err = h.open(ctx)
	}
	if err != nil {
		for _, e := range endpoints {
			if e.Listener != nil && !h.accepts(e.Listener) {
				e.Listener.Close()
			}
		}
		if ctx.Err() != nil && errors.Is(err, ctx.Err()) {
			return nil // ctx was done before the listeners were open, as after a signal during the start
		}
		return err
	}
	main := make([]*connlimit.Listener, len(endpoints))
	for i, e := range endpoints {
		h.register(e.Server)
		main[i] = connlimit.New(e.Listener, 0)
		endpoints[i].Listener = main[i]
	}
	h.main.Store(&main)
	own := slices.Clone(endpoints)
	if listeners.grpc != nil {
		endpoints = append(endpoints, servicer.Endpoint{Server: h.healthOnlyServer(), Listener: listeners.grpc})
	}
	components, err := h.components(listeners)
	if err != nil {
		listeners.close()
		for _, e := range endpoints {
			e.Listener.Close()
		}
		return err
	}
	components = append(components, component{"self-check", func(ctx context.Context) error { return h.checkServers(ctx, own) }})
	ctx, release := h.drainPlugin(ctx)
	defer release()
	return runAll(ctx, components, func(ctx context.Context) error { return h.server.ServeAll(ctx, endpoints...) })
}

// complete returns an error if an endpoint lacks its server or its listener, or if its server is in use.
func (h *Health) complete(endpoints []servicer.Endpoint) error {
	for _, e := range endpoints {
		if e.Server == nil || e.Listener == nil {
			return errors.New("vitals: Serve needs a server and a listener")
		}
		if !h.registered(e.Server) && serves(e.Server) {
			return errors.New("vitals: Serve: the server serves already: leave out its Serve, or use Register before that and Run")
		}
	}
	return nil
}

// serves reports whether Serve of server was called: to register a service after it would end the process. Reflection finds
// no such field in a grpc-go that has another one; the process ends then, as before.
func serves(server *grpc.Server) bool {
	field := reflect.ValueOf(server).Elem().FieldByName("serve")
	return field.Kind() == reflect.Bool && field.Bool()
}

// accepts reports whether lis is a listener of the Serve that is running.
func (h *Health) accepts(lis net.Listener) bool {
	main := h.main.Load()
	return main != nil && slices.ContainsFunc(*main, func(l *connlimit.Listener) bool { return l.Wraps(lis) })
}

// flushLogs waits for log handlers, also for that of the recorder if it has one of its own.
func (h *Health) flushLogs() {
	h.log.Flush(asynclog.Grace)
	asynclog.New(h.cfg.Recorder.Logger).Flush(asynclog.Grace)
}

// drainPlugin returns a context that is done with ctx, but for a plugin after a drain without delay: go-plugin has closed
// the connection by then and its host waits for 2 s. Call release once it is no longer used: ctx may live longer.
func (h *Health) drainPlugin(ctx context.Context) (serving context.Context, release func()) {
	serving, stop := context.WithCancelCause(context.WithoutCancel(ctx))
	forget := context.AfterFunc(ctx, func() {
		if h.isPlugin.Load() {
			_ = h.server.Drain(ctx) // the error is that of ctx, which is done
		}
		stop(context.Cause(ctx))
	})
	return serving, func() {
		forget()
		stop(nil)
	}
}
