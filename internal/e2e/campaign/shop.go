package main

import (
	"context"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/vitals-go/vitals/internal/e2e/rig"
)

// shop is the HTTP price service, within this process.
type shop struct {
	port   int
	broken atomic.Bool

	mu     sync.Mutex // guards what follows
	server *http.Server
	thawed chan struct{} // closed unless the shop is frozen
}

func newShop(ctx context.Context) (*shop, error) {
	port, err := rig.Port(ctx)
	if err != nil {
		return nil, err
	}
	s := &shop{port: port, thawed: make(chan struct{})}
	close(s.thawed)
	return s, s.Start(ctx)
}

// Addr is where the shop is.
func (s *shop) Addr() string { return rig.Addr(s.port) }

// Start opens the shop.
func (s *shop) Start(ctx context.Context) error {
	lis, err := rig.Listen(ctx, s.port)
	if err != nil {
		return err
	}
	server := &http.Server{Handler: http.HandlerFunc(s.serve), ReadHeaderTimeout: time.Minute}
	s.mu.Lock()
	s.server = server
	s.mu.Unlock()
	go func() { _ = server.Serve(lis) }() // Until Stop.
	return nil
}

func (s *shop) serve(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	thawed := s.thawed
	s.mu.Unlock()
	select {
	case <-thawed:
	case <-r.Context().Done():
		return
	}
	if s.broken.Load() {
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	_, _ = io.WriteString(w, `{"currency_code":"EUR","minor_units":1299}`)
}

// Stop closes the shop and all connections.
func (s *shop) Stop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	_ = s.server.Close()
}

// Freeze lets nobody have an answer.
func (s *shop) Freeze() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.thawed = make(chan struct{})
}

// Thaw answers all who have waited.
func (s *shop) Thaw() {
	s.mu.Lock()
	defer s.mu.Unlock()
	close(s.thawed)
}

// Close closes the shop for good.
func (s *shop) Close() { s.Stop() }

func (s *shop) fail(broken bool) { s.broken.Store(broken) }
