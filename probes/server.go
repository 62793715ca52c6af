package probes

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/vitals-go/vitals/internal/asynclog"
	"github.com/vitals-go/vitals/internal/connlimit"
)

// ServerConfig configures a Server. The zero value of every optional field is the default.
type ServerConfig struct {
	// Handler serves the requests: a *Handler, or one inside middleware. Required.
	Handler http.Handler
	// Listener to serve on; the Server closes it. Default: TCP on Addr.
	Listener net.Listener
	// Addr to listen on if there is no Listener. Default ":8080".
	Addr string
	// TLS, if not nil, enables HTTPS. It must hold a certificate.
	TLS *tls.Config
	// MaxConnections bounds the open connections. Beyond it a new connection closes the one that has been without a
	// request longest, so that idle connections do not block probes. Default 1,000.
	MaxConnections int
	// Logger receives the start, responses that were cut off, and the debug messages of net/http. Default: slog.Default().
	Logger *slog.Logger
}

// The limits of a request, a response and an idle connection. An event stream renews writeTimeout with each event.
const (
	readHeaderTimeout = 5 * time.Second
	readTimeout       = 10 * time.Second
	writeTimeout      = 10 * time.Second
	idleTimeout       = time.Minute
	maxHeaderBytes    = 16 << 10
	// maxStreams bounds the concurrent requests of an HTTP/2 connection, also those that the client has reset.
	maxStreams = 100
)

// At the end of Run, idle connections and those without a complete request are closed after idleGrace, and responses that
// are still being written after shutdownTimeout.
const (
	idleGrace       = 200 * time.Millisecond
	shutdownTimeout = 5 * time.Second
)

// Server serves a handler on its own listener with limits on connections, headers and time. Create it with NewServer.
type Server struct {
	cfg ServerConfig
	log *asynclog.Logger
}

// NewServer returns a Server, or an error that joins all mistakes. It does not listen yet.
func NewServer(cfg ServerConfig) (*Server, error) {
	var errs []error
	if cfg.Handler == nil {
		errs = append(errs, errors.New("probes: ServerConfig.Handler is required"))
	}
	if cfg.Listener != nil && cfg.Addr != "" {
		errs = append(errs, errors.New("probes: ServerConfig.Addr and ServerConfig.Listener exclude each other"))
	}
	cfg.Addr = cmp.Or(cfg.Addr, ":8080")
	if _, _, err := net.SplitHostPort(cfg.Addr); err != nil && cfg.Listener == nil {
		errs = append(errs, fmt.Errorf("probes: ServerConfig.Addr: got %q, want host:port, such as \":8080\"", cfg.Addr))
	}
	if cfg.MaxConnections < 0 {
		errs = append(errs, fmt.Errorf("probes: ServerConfig.MaxConnections: got %d, want at least 1", cfg.MaxConnections))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	cfg.MaxConnections = cmp.Or(cfg.MaxConnections, 1000)
	return &Server{cfg: cfg, log: asynclog.New(cmp.Or(cfg.Logger, slog.Default()))}, nil
}

// Run listens and serves until ctx is done, then ends event streams, lets responses in flight finish and returns nil. It
// returns an error if it cannot listen or the listener fails. A Server runs once.
func (s *Server) Run(ctx context.Context) error {
	listener := s.cfg.Listener
	if listener == nil {
		var err error
		if listener, err = new(net.ListenConfig).Listen(ctx, "tcp", s.cfg.Addr); err != nil {
			return fmt.Errorf("probes: %w", err)
		}
	}
	defer s.log.Flush(asynclog.Grace)
	conns := &connections{Set: connlimit.NewSet(s.cfg.MaxConnections)}
	server := &http.Server{
		Handler:           conns.track(s.cfg.Handler),
		TLSConfig:         s.cfg.TLS,
		ReadHeaderTimeout: readHeaderTimeout,
		ReadTimeout:       readTimeout,
		WriteTimeout:      writeTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
		HTTP2:             &http.HTTP2Config{MaxConcurrentStreams: maxStreams},
		ConnContext:       conns.connContext,
		ConnState:         conns.connState,
		// net/http responds to OPTIONS * with 200 otherwise.
		DisableGeneralOptionsHandler: true,
		// Requests end with ctx: an open event stream must not delay the shutdown.
		BaseContext: func(net.Listener) context.Context { return ctx },
		ErrorLog:    slog.NewLogLogger(s.log.Handler(), slog.LevelDebug),
	}
	s.log.Log(slog.LevelInfo, "serving HTTP endpoints", slog.String("address", listener.Addr().String()))
	ended := make(chan struct{})
	stopped := context.AfterFunc(ctx, func() {
		defer close(ended)
		s.shutdown(ctx, server, conns)
	})
	serve := server.Serve
	if s.cfg.TLS != nil {
		serve = func(l net.Listener) error { return server.ServeTLS(l, "", "") }
	}
	if err := serve(listener); stopped() {
		return fmt.Errorf("probes: %w", err)
	}
	<-ended
	return nil
}

// shutdown ends the server.
func (s *Server) shutdown(ctx context.Context, server *http.Server, conns *connections) {
	idle := time.AfterFunc(idleGrace, conns.CloseIdle)
	defer idle.Stop()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownTimeout)
	defer cancel()
	if err := server.Shutdown(ctx); err != nil {
		s.log.Log(slog.LevelWarn, "HTTP responses cut off at shutdown", slog.String("error", err.Error()))
		_ = server.Close()
	}
}

// connections bounds the open connections of an http.Server. Beyond the limit, a new connection closes the one that has been
// without a request longest, or if all have one, the one with the longest request.
type connections struct {
	*connlimit.Set

	open sync.Map // net.Conn to *connlimit.Entry
}

type connectionKey struct{}

// connContext is an http.Server.ConnContext.
func (c *connections) connContext(ctx context.Context, conn net.Conn) context.Context {
	entry := c.Add(conn)
	c.open.Store(conn, entry)
	return context.WithValue(ctx, connectionKey{}, entry)
}

// connState is an http.Server.ConnState.
func (c *connections) connState(conn net.Conn, state http.ConnState) {
	if state != http.StateClosed && state != http.StateHijacked {
		return
	}
	if entry, ok := c.open.LoadAndDelete(conn); ok {
		entry.(*connlimit.Entry).Remove() //nolint:forcetypeassert // connContext stores nothing else
	}
}

// track records the requests that next answers.
func (c *connections) track(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if entry, ok := r.Context().Value(connectionKey{}).(*connlimit.Entry); ok {
			entry.Begin()
			defer entry.End()
		}
		next.ServeHTTP(w, r)
	})
}
