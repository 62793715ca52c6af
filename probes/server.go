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
	"time"
)

// ServerConfig says where a Server listens and what it puts up with. The zero value of every optional field is the
// default.
type ServerConfig struct {
	// Handler answers the requests: a *Handler, or one inside middleware. Required.
	Handler http.Handler
	// Listener to serve on; the Server closes it. Default: TCP on Addr.
	Listener net.Listener
	// Addr to listen on if there is no Listener. Default ":8080".
	Addr string
	// TLS, if not nil, makes the server speak HTTPS. It must hold a certificate.
	TLS *tls.Config

	// ReadHeaderTimeout bounds the reading of a request's header. Default 5 s.
	ReadHeaderTimeout time.Duration
	// ReadTimeout bounds the reading of a whole request. Default 10 s.
	ReadTimeout time.Duration
	// WriteTimeout bounds the writing of an answer; an event stream renews it with each event. Default 10 s.
	WriteTimeout time.Duration
	// IdleTimeout bounds the wait for the next request on a connection. Default 60 s.
	IdleTimeout time.Duration
	// ShutdownTimeout bounds the end: answers still being written then are cut off. Default 5 s.
	ShutdownTimeout time.Duration
	// MaxHeaderBytes bounds a request's header. Default 16 KiB.
	MaxHeaderBytes int
	// MaxConnections bounds the open connections. When there are as many, the one that has gone longest without a
	// request makes room for a new one, so that a crowd of idle connections never locks out a probe. Default 1,000.
	MaxConnections int

	// Logger hears of the server's start and of what net/http has to say. Default: discard.
	Logger *slog.Logger
}

// maxStreams bounds the requests that one connection of HTTP/2, which there is with TLS only, asks at a time. A client that
// takes its requests back at once, to send more, has as many being answered and is cut off when it goes on.
const maxStreams = 100

// Server serves a handler on a listener of its own, apart from everything else that the process serves. Create it
// with NewServer.
type Server struct {
	config ServerConfig
}

// NewServer returns a Server, or an error that names every mistake in the configuration. It does not listen yet.
func NewServer(config ServerConfig) (*Server, error) {
	var errs []error
	if config.Handler == nil {
		errs = append(errs, errors.New("probes: ServerConfig.Handler is required"))
	}
	if config.Listener != nil && config.Addr != "" {
		errs = append(errs, errors.New("probes: ServerConfig.Addr and Listener exclude each other"))
	}
	if config.Listener == nil && config.Addr != "" {
		if _, _, err := net.SplitHostPort(config.Addr); err != nil {
			errs = append(errs, fmt.Errorf("probes: ServerConfig.Addr: %w", err))
		}
	}
	for _, field := range []struct {
		name  string
		value time.Duration
	}{
		{"ReadHeaderTimeout", config.ReadHeaderTimeout},
		{"ReadTimeout", config.ReadTimeout},
		{"WriteTimeout", config.WriteTimeout},
		{"IdleTimeout", config.IdleTimeout},
		{"ShutdownTimeout", config.ShutdownTimeout},
		{"MaxHeaderBytes", time.Duration(config.MaxHeaderBytes)},
		{"MaxConnections", time.Duration(config.MaxConnections)},
	} {
		if field.value < 0 {
			errs = append(errs, fmt.Errorf("probes: ServerConfig.%s is negative", field.name))
		}
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return &Server{config: config.withDefaults()}, nil
}

func (c ServerConfig) withDefaults() ServerConfig {
	c.Addr = cmp.Or(c.Addr, ":8080")
	c.ReadHeaderTimeout = cmp.Or(c.ReadHeaderTimeout, 5*time.Second)
	c.ReadTimeout = cmp.Or(c.ReadTimeout, 10*time.Second)
	c.WriteTimeout = cmp.Or(c.WriteTimeout, 10*time.Second)
	c.IdleTimeout = cmp.Or(c.IdleTimeout, time.Minute)
	c.ShutdownTimeout = cmp.Or(c.ShutdownTimeout, 5*time.Second)
	c.MaxHeaderBytes = cmp.Or(c.MaxHeaderBytes, 16<<10)
	c.MaxConnections = cmp.Or(c.MaxConnections, 1000)
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return c
}

// Run listens and serves until ctx ends, then lets answers in flight finish and ends event streams. It returns nil
// after such an end, and an error if it cannot listen or the listener fails. A Server runs once.
func (s *Server) Run(ctx context.Context) error {
	listener, err := s.listen(ctx)
	if err != nil {
		return err
	}
	conns := newConnections(s.config.MaxConnections)
	server := &http.Server{
		Handler:           conns.track(s.config.Handler),
		TLSConfig:         s.config.TLS,
		ReadHeaderTimeout: s.config.ReadHeaderTimeout,
		ReadTimeout:       s.config.ReadTimeout,
		WriteTimeout:      s.config.WriteTimeout,
		IdleTimeout:       s.config.IdleTimeout,
		MaxHeaderBytes:    s.config.MaxHeaderBytes,
		HTTP2:             &http.HTTP2Config{MaxConcurrentStreams: maxStreams},
		ConnContext:       conns.enter,
		ConnState:         conns.leave,
		// Or net/http would answer OPTIONS * with 200.
		DisableGeneralOptionsHandler: true,
		// Requests end with ctx, or an open event stream would hold up the shutdown.
		BaseContext: func(net.Listener) context.Context { return ctx },
		ErrorLog:    slog.NewLogLogger(s.config.Logger.Handler(), slog.LevelDebug),
	}
	s.config.Logger.LogAttrs(ctx, slog.LevelInfo, "probes are served", slog.String("address", listener.Addr().String()))
	ended := make(chan error, 1)
	stopped := context.AfterFunc(ctx, func() { ended <- s.shutdown(ctx, server, conns) })
	if s.config.TLS != nil {
		err = server.ServeTLS(listener, "", "")
	} else {
		err = server.Serve(listener)
	}
	if stopped() {
		return fmt.Errorf("probes: %w", err)
	}
	return <-ended
}

func (s *Server) listen(ctx context.Context) (net.Listener, error) {
	if s.config.Listener != nil {
		return s.config.Listener, nil
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", s.config.Addr)
	if err != nil {
		return nil, fmt.Errorf("probes: %w", err)
	}
	return listener, nil
}

// shutdown ends the server. Answers that outlive the timeout are cut; that is an end like any other. So that nobody
// holds it up by asking nothing, connections without a complete request are cut after a moment.
func (s *Server) shutdown(ctx context.Context, server *http.Server, conns *connections) error {
	const moment = 200 * time.Millisecond
	hurry := time.AfterFunc(min(moment, s.config.ShutdownTimeout), conns.cutWaiting)
	defer hurry.Stop()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.config.ShutdownTimeout)
	defer cancel()
	if err := server.Shutdown(ctx); err != nil {
		s.config.Logger.LogAttrs(ctx, slog.LevelWarn, "answers of probes were cut off",
			slog.String("error", err.Error()))
		_ = server.Close()
	}
	return nil
}
