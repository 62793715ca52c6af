package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	toxiproxy "github.com/Shopify/toxiproxy/v2"
	"github.com/rs/zerolog"

	"github.com/vitals-go/vitals/internal/e2e/rig"
)

// backend is the real thing behind a proxy.
type backend interface {
	Addr() string
	Start(context.Context) error
	Stop()
	Freeze()
	Thaw()
	Close()
}

// dependency is a backend with a proxy before it: the backend can die and freeze, the network between can misbehave.
type dependency struct {
	name  string
	slow  time.Duration // what is too late for a check
	proxy *toxiproxy.Proxy
	backend
	fault fault
}

// newDependency puts a proxy before a backend. The proxy keeps its address for good.
func newDependency(ctx context.Context, name string, b backend, timeout time.Duration) (*dependency, error) {
	port, err := rig.Port(ctx)
	if err != nil {
		return nil, err
	}
	d := &dependency{name: name, slow: 2 * timeout, backend: b}
	server := toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.New(io.Discard))
	d.proxy = toxiproxy.NewProxy(server, name, rig.Addr(port), b.Addr())
	return d, d.proxy.Start()
}

// addr is where the server finds the dependency.
func (d *dependency) addr() string { return d.proxy.Listen }

func (d *dependency) close() {
	d.proxy.Stop()
	d.Close()
}

// set replaces whatever is wrong with the dependency by f. It returns once f is a fact.
func (d *dependency) set(ctx context.Context, f fault) error {
	if err := d.mend(ctx); err != nil {
		return fmt.Errorf("%s: end of %s: %w", d.name, d.fault, err)
	}
	d.fault = f
	if err := d.harm(f); err != nil {
		return fmt.Errorf("%s: %s: %w", d.name, f, err)
	}
	return nil
}

func (d *dependency) harm(f fault) error {
	switch f {
	case killed:
		d.Stop()
	case frozen:
		d.Freeze()
	case refused:
		d.proxy.Stop()
	case failing:
		d.backend.(*shop).fail(true)
	case reset:
		return d.poison("reset_peer", map[string]int64{"timeout": 0})
	case silent:
		return d.poison("timeout", map[string]int64{"timeout": 0})
	case slow:
		return d.poison("latency", map[string]int64{"latency": d.slow.Milliseconds()})
	case sluggish:
		return d.poison("latency", map[string]int64{"latency": 10})
	case chopped:
		return d.poison("slicer", map[string]int64{"average_size": 64, "size_variation": 32, "delay": 200})
	}
	return nil
}

func (d *dependency) mend(ctx context.Context) error {
	switch d.fault {
	case killed:
		return d.Start(ctx)
	case frozen:
		d.Thaw()
	case refused:
		return d.proxy.Start()
	case failing:
		d.backend.(*shop).fail(false)
	case reset, silent, slow, sluggish, chopped:
		ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
		defer cancel()
		return d.proxy.Toxics.RemoveToxic(ctx, toxic)
	}
	return nil
}

const toxic = "fault"

// poison spoils what the backend answers.
func (d *dependency) poison(kind string, attributes map[string]int64) error {
	text, err := json.Marshal(map[string]any{"name": toxic, "type": kind, "stream": "downstream", "attributes": attributes})
	if err != nil {
		return err
	}
	_, err = d.proxy.Toxics.AddToxicJson(strings.NewReader(string(text)))
	return err
}
