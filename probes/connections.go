package probes

import (
	"context"
	"net"
	"net/http"
	"sync"

	"github.com/vitals-go/vitals/internal/connlimit"
)

// connections bounds the open connections of an http.Server. Beyond the limit, a new connection closes the one that has been
// without a request longest, or if all have one, the one with the longest request.
type connections struct {
	*connlimit.Set

	open sync.Map // net.Conn to *connlimit.Entry
}

type connectionKey struct{}

func newConnections(limit int) *connections { return &connections{Set: connlimit.NewSet(limit)} }

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
