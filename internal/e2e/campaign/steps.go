package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"time"
)

// cannot says why a step is not possible on this machine.
func (c *campaign) cannot(s step) error {
	switch s.kind {
	case breakOne, mendOne:
		return c.missing[s.dependency]
	case dropWatchers:
		if c.truth.silent {
			return errors.New("silent clients are counted, too, until they are ended")
		}
	case fullDisk:
		if c.disk == nil {
			return c.missing["disk"]
		}
	}
	return nil
}

// perform makes a step happen. When it returns, the truth is what it is.
func (c *campaign) perform(ctx context.Context, s step) error {
	switch s.kind {
	case breakOne:
		return c.set(ctx, s.dependency, s.fault)
	case mendOne:
		return c.set(ctx, s.dependency, noFault)
	case restart:
		if err := c.stop(ctx); err != nil {
			return err
		}
		c.truth = c.truth.restarted(s.draw%2 == 0)
		return c.start(ctx)
	case crash:
		return c.crash(ctx)
	case abortedStart:
		return c.abortStart(ctx, s)
	case freeze:
		return c.freeze(ctx, s)
	case dropWatchers:
		return c.dropWatchers(ctx)
	case flood:
		return c.flood(ctx)
	case scrapes:
		return c.scrape(ctx)
	case badConfig:
		return c.misconfigure(ctx, s)
	case clockJump:
		return c.jump(ctx, s)
	case fullDisk:
		return c.toggleDisk()
	case silentClients:
		return c.toggleSilent()
	case manual, shutdown, resume, shutAndResume, forceBreaker, replaceCheck:
		return c.apply(ctx, s)
	case maintain:
		return c.maintain(ctx, s)
	case override:
		return c.override(ctx, s)
	case mistypedProbe:
		return c.mistype(ctx, s)
	}
	return fmt.Errorf("nobody knows how to do %q", s.kind)
}

// set gives a dependency a fault, or none. Users may go on expecting what they did, unless it is about the database.
func (c *campaign) set(ctx context.Context, name string, f fault) error {
	if name == database && (!f.harmless() || !c.truth.works(name)) {
		c.users.expect(anything)
	}
	if err := c.dependencies[name].set(ctx, f); err != nil {
		return err
	}
	delete(c.truth.faults, name)
	if f != noFault {
		c.truth.faults[name] = f
	}
	return nil
}

// start starts the server and opens the streams that stay open for its life.
func (c *campaign) start(ctx context.Context) error {
	c.truth, c.overridden = c.truth.restarted(c.truth.hidden), false
	c.probers = map[string]answered{}
	for _, path := range []string{c.overrideFile(), c.terminationLog()} { // A container gets a new termination log.
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	if err := c.server.Start(ctx, c.control.env(c.truth.hidden)...); err != nil {
		return err
	}
	c.started = time.Now()
	c.tally.lives++
	c.observer = openObserver(ctx, c.endpoints, slices.Compact(slices.Sorted(slices.Values(append(c.truth.names(), manualNames...)))))
	c.calm = signs{}
	return nil
}

// stop ends the server by SIGTERM. Users notice nothing for the first half of the drain delay; every watch is told;
// then it is gone in time, with exit code 0, and so is the health file.
func (c *campaign) stop(ctx context.Context) error {
	c.server.Signal(syscall.SIGTERM)
	_ = pause(ctx, c.drain/2)
	c.users.expect(anything)
	defer c.observer.close()
	if err := c.ended(0); err != nil {
		return err
	}
	err := c.observer.farewell()
	if c.silent != nil {
		err = errors.Join(err, c.silent.Ended())
		c.silent = nil
	}
	return err
}

// ended waits for the end that was asked for.
func (c *campaign) ended(want int) error {
	code, err := c.server.Wait(c.ends().within + c.allowance)
	if err != nil {
		return err
	}
	if code != want {
		return fmt.Errorf("the server ended with exit code %d, want %d", code, want)
	}
	// On a full disk there may be the file of a server that was killed, which is not this one's to remove.
	_, err = os.Stat(c.endpoints.File)
	if _, unbelieved := c.endpoints.ReadFile(c.truth.pushed); !errors.Is(err, fs.ErrNotExist) && (!c.truth.full || unbelieved == nil) {
		return errors.New("the health file is left behind")
	}
	left, err := filepath.Glob(filepath.Join(filepath.Dir(c.endpoints.File), ".*.tmp"))
	if len(left) > 0 {
		return fmt.Errorf("left behind: %v", left)
	}
	return err
}

// crash kills the server. Its health file stays, and must not be believed for long.
func (c *campaign) crash(ctx context.Context) error {
	c.users.expect(anything)
	c.server.Kill()
	if err := c.lastWords(); err != nil {
		return fmt.Errorf("after SIGKILL: %w", err)
	}
	c.observer.close()
	if c.silent != nil {
		c.silent.Close()
		c.silent = nil
	}
	deadline := time.Now().Add(c.fileLife() + c.allowance)
	for {
		_, err := c.endpoints.ReadFile(c.truth.pushed)
		if err != nil {
			return c.start(ctx)
		}
		if time.Now().After(deadline) {
			return errors.New("the health file of a dead server is still believed")
		}
		if err := pause(ctx, 20*time.Millisecond); err != nil {
			return err
		}
	}
}

// abortStart ends the server at a random moment of its start.
func (c *campaign) abortStart(ctx context.Context, s step) error {
	if err := c.stop(ctx); err != nil {
		return err
	}
	if err := c.server.Start(ctx, c.control.env(false)...); err != nil {
		return err
	}
	if err := pause(ctx, s.pause); err != nil {
		return err
	}
	early := len(c.server.said.all()) == 0 // Before it says anything, it may not have asked for signals yet.
	c.server.Signal(syscall.SIGTERM)
	err := c.ended(0)
	if early && c.server.KilledBy() == syscall.SIGTERM {
		err = nil
	}
	if err != nil {
		return fmt.Errorf("SIGTERM %v after the start: %w", s.pause, err)
	}
	return c.start(ctx)
}

// freeze stops the server for a while. A reader of its file finds out, and a prober does not wait for ever.
func (c *campaign) freeze(ctx context.Context, s step) error {
	c.users.expect(anything)
	c.server.Freeze()
	defer c.server.Thaw()
	if err := pause(ctx, s.pause); err != nil {
		return err
	}
	q := c.compare()
	c.endpoints.Command(ctx, q, "4", "-file", c.endpoints.File, "-for", "live")
	c.endpoints.Command(ctx, q, "2", "-addr", c.endpoints.Addr, "-connect-timeout", "200ms", "-rpc-timeout", "200ms")
	c.tally.asked(q)
	return q.Err()
}

// jump sets the server's clock, or back to ours. Where the server has the machine's clock, its file is shown to a
// reader with another one instead.
func (c *campaign) jump(ctx context.Context, s step) error {
	if c.clock == nil {
		return c.misdate(ctx, s)
	}
	by := s.jump
	if c.truth.pushed != 0 && s.draw%2 == 0 {
		by = 0
	}
	c.truth.pushed = by
	return c.clock.push(by)
}

func (c *campaign) misdate(ctx context.Context, s step) error {
	if c.truth.full {
		return nil // There may be no file.
	}
	path := filepath.Join(c.scratch, "misdated")
	if err := misdated(c.endpoints.File, path, s.jump); err != nil {
		return err
	}
	q := c.compare()
	c.endpoints.Command(ctx, q, "4", "-file", path, "-for", "live")
	c.tally.asked(q)
	return q.Err()
}

// toggleDisk takes all room for the health file, or gives it back.
func (c *campaign) toggleDisk() error {
	c.truth.full = !c.truth.full
	if c.truth.full {
		return c.disk.fill()
	}
	return c.disk.free()
}
