package main

import (
	"context"

	"github.com/vitals-go/vitals/internal/e2e/endpoints"
)

// newServer prepares the server that is tried: everything is configured, nothing has been started.
func newServer(ctx context.Context, path, folder, healthFolder string, s settings, env []string) (*program, *endpoints.Endpoints, error) {
	e, err := endpoints.New(ctx, path, healthFolder)
	if err != nil {
		return nil, nil, err
	}
	p := &program{path: path, folder: folder, addr: e.Addr, said: &transcript{}}
	p.env = e.ServerEnv(folder, append([]string{
		"PLUGIN_HEALTH_CHECK_INTERVAL=" + s.interval.String(), "PLUGIN_HEALTH_CHECK_TIMEOUT=" + s.timeout.String(),
		"PLUGIN_HEALTH_DRAIN_DELAY=" + s.drain.String(), "PLUGIN_HEALTH_SHUTDOWN_TIMEOUT=" + s.shutdown.String(),
	}, env...)...)
	return p, e, nil
}
