package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/vitals-go/vitals/internal/e2e/rig"
)

// newCampaign builds the server, unless it exists, and starts its dependencies. close ends everything.
func newCampaign(ctx context.Context, o options, progress io.Writer) (c *campaign, err error) {
	c = &campaign{
		settings: usual(), dependencies: map[string]*dependency{}, missing: map[string]error{},
		users: newUsers(), machine: &machine{}, tally: newTally(), progress: progress,
		truth: truth{faults: map[string]fault{}},
	}
	c.allowance = o.allowance
	defer func() {
		if err != nil {
			c.close()
		}
	}()
	if c.scratch, err = os.MkdirTemp("", "campaign-"); err != nil {
		return c, err
	}
	binary, err := c.binary(ctx, o)
	if err != nil {
		return c, err
	}
	folder, health, err := c.folders()
	if err != nil {
		return c, err
	}
	env, err := c.dependencyEnv(ctx, binary)
	if err != nil {
		return c, err
	}
	if c.server, c.endpoints, err = newServer(ctx, binary, folder, health, c.settings, env); err != nil {
		return c, err
	}
	c.server.env = append(c.server.env, "PLUGIN_OVERRIDE_FILE="+c.overrideFile(), "PLUGIN_TERMINATION_LOG="+c.terminationLog())
	if c.clock != nil {
		c.endpoints.Env = []string{clockVariable + "=" + c.clock.path}
		c.server.env = append(c.server.env, clockVariable+"="+c.clock.path)
	}
	c.control = newControl(c.scratch)
	return c, nil
}

// binary returns the program that is tried, with a clock of its own if that is wanted.
func (c *campaign) binary(ctx context.Context, o options) (path string, err error) {
	kept, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	kept = filepath.Join(kept, "vitals-campaign")
	if o.clock {
		kept += "-clock"
		if c.clock, err = newClock(c.scratch); err != nil {
			return "", err
		}
	}
	flags, err := overlayFlags(ctx, kept, o.clock)
	if err != nil {
		return "", err
	}
	fmt.Fprintln(c.progress, "building the server")
	return rig.BuildServer(ctx, c.scratch, flags...)
}

// folders makes the server's folder, and the one of its health file on a disk that can be filled.
func (c *campaign) folders() (own, health string, err error) {
	own, health = filepath.Join(c.scratch, "own"), filepath.Join(c.scratch, "health")
	if err := errors.Join(os.Mkdir(own, 0o755), os.Mkdir(health, 0o755)); err != nil {
		return "", "", err
	}
	if c.disk, err = mount(health); errors.Is(err, errNoDisk) {
		c.missing["disk"] = err
		fmt.Fprintln(c.progress, "without full disks:", err)
		err = nil
	}
	return own, health, err
}

// supply starts a dependency and configures the server for it.
type supply struct {
	name string
	new  func() (backend, error)
	env  func(addr string) (string, error)
}

func supplies(ctx context.Context, binary, folder string) []supply {
	var pg *rig.Postgres
	return []supply{
		{
			database,
			func() (b backend, err error) { pg, err = rig.NewPostgres(ctx); return pg, err },
			func(addr string) (string, error) {
				name, err := pg.Database(ctx)
				return "DATABASE_URL=" + rig.PostgresURL(addr, name), err
			},
		},
		{
			cache,
			func() (backend, error) { return rig.NewRedis(ctx) },
			func(addr string) (string, error) { return "REDIS_URL=" + rig.RedisURL(addr), nil },
		},
		{
			prices,
			func() (backend, error) { return newShop(ctx) },
			func(addr string) (string, error) { return "EXTERNAL_API_URL=http://" + addr, nil },
		},
		{
			upstream,
			func() (backend, error) { return newUpstream(ctx, binary, folder) },
			func(addr string) (string, error) { return "UPSTREAM_ADDR=" + addr, nil },
		},
	}
}

// dependencyEnv starts every available dependency and returns the environment variables for the server. Without
// PostgreSQL the server keeps its data in SQLite, which is there and works.
func (c *campaign) dependencyEnv(ctx context.Context, binary string) (env []string, err error) {
	for _, s := range supplies(ctx, binary, c.scratch) {
		b, err := s.new()
		if errors.Is(err, rig.ErrMissing) {
			c.missing[s.name] = err
			fmt.Fprintf(c.progress, "without faults of the %s: %v\n", s.name, err)
			if s.name == database {
				c.truth.present = append(c.truth.present, s.name)
			}
			continue
		}
		if err != nil {
			return nil, err
		}
		if c.dependencies[s.name], err = newDependency(ctx, s.name, b, c.timeout); err != nil {
			return nil, err
		}
		variable, err := s.env(c.dependencies[s.name].addr())
		if err != nil {
			return nil, err
		}
		env = append(env, variable)
		c.truth.present = append(c.truth.present, s.name)
	}
	return env, nil
}

// close ends and removes everything.
func (c *campaign) close() {
	if c.observer != nil {
		c.observer.close()
	}
	if c.silent != nil {
		c.silent.Close()
	}
	if c.server != nil {
		c.server.Close()
		_ = c.endpoints.Close() // The server has gone.
	}
	for _, d := range c.dependencies {
		d.close()
	}
	if c.disk != nil {
		_ = c.disk.unmount()
	}
	_ = os.RemoveAll(c.scratch)
}
