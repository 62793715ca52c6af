package testdeps

import (
	"testing"

	"github.com/vitals-go/vitals/internal/e2e/rig"
)

// Redis is a Redis server of the test's own. It forgets everything when it stops.
type Redis struct {
	*rig.Redis

	t testing.TB
}

// NewRedis starts a Redis server.
func NewRedis(t testing.TB) *Redis {
	t.Helper()
	r, err := rig.NewRedis(t.Context())
	must(t, err)
	t.Cleanup(r.Close)
	own(t, r.Process)
	return &Redis{r, t}
}

// Start starts the server and waits until it accepts connections.
func (r *Redis) Start() {
	r.t.Helper()
	must(r.t, r.Redis.Start(r.t.Context()))
	own(r.t, r.Process)
}
