package vitals

import (
	"context"
	"errors"
	"net"

	"google.golang.org/grpc"

	"github.com/vitals-go/vitals/servicer"
)

var errUsed = errors.New("vitals: Serve or Run has been called already")

// Serve registers what is missing on server (see Register), opens the listeners of the Config, runs the checks and serves
// lis. When ctx is done it drains as servicer.Server.Drain documents. Register the application's own services before. Serve
// handles no signal: pass a context of signal.NotifyContext.
//
// It blocks until everything it started has ended, and closes lis in every case. It returns nil after a complete drain,
// otherwise all errors: of a listener that cannot be opened (then nothing is served), of a component, of calls that were
// cut off. A component that does not stop, because it is blocked in a breaker.SnapshotSource, a file system or a log
// handler, is left behind after 6 s, evaluation after 10 s; the error names it. Call Serve or Run, once.
func (h *Health) Serve(ctx context.Context, server *grpc.Server, lis net.Listener) error {
	return h.serve(ctx, servicer.Endpoint{Server: server, Listener: lis})
}

// Run is Serve without a server: for a server that other code serves, such as go-plugin, or for a process without one. It
// returns once the drain delay is over, Watch streams have ended and everything it started has stopped; stop your server
// after that. Beside a server of PluginServer there is no delay. ServerOptions and Register, or PluginServer, connect your
// server.
func (h *Health) Run(ctx context.Context) error { return h.serve(ctx) }

func (h *Health) serve(ctx context.Context, endpoints ...servicer.Endpoint) error {
	listeners, err := h.open(ctx)
	if err != nil {
		for _, e := range endpoints {
			e.Listener.Close()
		}
		if ctx.Err() != nil && errors.Is(err, ctx.Err()) {
			return nil // ctx was done before the listeners were open, as after a signal during the start
		}
		return err
	}
	for _, e := range endpoints {
		h.Register(e.Server)
	}
	if listeners.grpc != nil {
		endpoints = append(endpoints, servicer.Endpoint{Server: h.healthOnlyServer(), Listener: listeners.grpc})
	}
	components, err := h.components(listeners)
	if err != nil {
		listeners.close()
		return err
	}
	return runAll(h.drainPlugin(ctx), components, func(ctx context.Context) error { return h.server.ServeAll(ctx, endpoints...) })
}

// drainPlugin returns a context that is done with ctx, but for a plugin after a drain without delay: go-plugin has closed
// the connection by then and its host waits for 2 s.
func (h *Health) drainPlugin(ctx context.Context) context.Context {
	serving, stop := context.WithCancelCause(context.WithoutCancel(ctx))
	context.AfterFunc(ctx, func() {
		if h.isPlugin.Load() {
			_ = h.server.Drain(ctx) // the error is that of ctx, which is done
		}
		stop(context.Cause(ctx))
	})
	return serving
}
