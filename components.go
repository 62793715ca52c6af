package vitals

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/vitals-go/vitals/probes"
)

// componentGrace is how long the parts may take to end: the HTTP door, which takes longest, cuts answers off after 5 s.
const componentGrace = 6 * time.Second

// component is something that runs beside the server.
type component struct {
	name string
	run  func(context.Context) error
}

// components returns the checks and the heralds. It takes over the listener of the HTTP door.
func (h *Health) components(d listeners) ([]component, error) {
	parts := []component{{"the checker", h.Checker.Run}, {"what follows the breakers", h.refreshOnTrip}}
	if d.http != nil {
		web, err := probes.NewServer(probes.ServerConfig{Handler: h.http, Listener: d.http, TLS: h.tls.http, Logger: h.log})
		if err != nil {
			return nil, err
		}
		parts = append(parts, component{"the HTTP door", web.Run}, component{"the status page", h.http.Run})
	}
	if h.file != nil {
		parts = append(parts, component{"the health file", h.file.Run})
	}
	if h.otel != nil {
		parts = append(parts, component{"OpenTelemetry", h.otel.Run})
	}
	if h.LoadReporter != nil {
		parts = append(parts, component{"the load reports", h.LoadReporter.Run}, component{"the end of the load reports", h.endLoadStreams})
	}
	return parts, nil
}

// componentError is the end of a part.
type componentError struct {
	name string
	err  error
}

// runAll runs the parts for as long as serve runs, which includes the drain. When one of them fails, serve is asked to
// end. One that does not end is left behind: it may wait for a breaker.Source, a disk or a log that never answers.
func (h *Health) runAll(ctx context.Context, d listeners, serve func(context.Context) error) error {
	serving, giveUp := context.WithCancel(ctx)
	defer giveUp()
	// What runs around the server outlives ctx: the drain is to be seen at every door.
	beside, dismiss := context.WithCancel(context.WithoutCancel(ctx))
	defer dismiss()
	parts, err := h.components(d)
	if err != nil {
		d.close()
		return err
	}
	ended := make(chan componentError, len(parts))
	missing := make(map[string]struct{}, len(parts))
	for _, p := range parts {
		missing[p.name] = struct{}{}
		go func() {
			err := p.run(beside)
			if err != nil {
				giveUp()
			}
			ended <- componentError{p.name, err}
		}()
	}
	err = serve(serving)
	dismiss()
	return errors.Join(await(missing, ended), err)
}

// await waits for those who are missing, and returns what they and those who do not come have to say.
func await(missing map[string]struct{}, ended <-chan componentError) error {
	var errs []error
	patience := time.NewTimer(componentGrace)
	defer patience.Stop()
	for len(missing) > 0 {
		select {
		case e := <-ended:
			delete(missing, e.name)
			errs = append(errs, e.err)
		case <-patience.C:
			for _, name := range slices.Sorted(maps.Keys(missing)) {
				errs = append(errs, fmt.Errorf("vitals: %s could not be ended within %v: somebody whom it asks does not answer", name, componentGrace))
			}
			clear(missing)
		}
	}
	return errors.Join(errs...)
}
