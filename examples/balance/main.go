// Balance shows a client of three servers: one connection that balances over them by their health, and a circuit breaker for
// the time when none serves.
//
//	go run ./examples/balance
//
// lets dependencies fail and servers drain and restart, and prints which calls fail: none, as long as one server serves.
//
//	go run ./examples/balance stress
//
// shows the effect of load reports: three server processes, one of them stressed, behind round_robin and behind
// weighted_round_robin; then all of them restart in turn under load. It takes a minute and writes a table.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/vitals-go/vitals/internal/freeport"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	if err := command(ctx, os.Args[1:]); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// command runs the command of the command line.
func command(ctx context.Context, args []string) error {
	switch {
	case len(args) == 0:
		return run(ctx, os.Stdout, overTCP(ctx), 3*time.Second)
	case args[0] == stressCommand:
		e, err := parseExperiment(args[1:])
		if err != nil {
			return err
		}
		return e.run(ctx, os.Stdout, os.Stderr)
	case args[0] == serverCommand:
		return serve(ctx, args[1:], os.Stdin, os.Stdout)
	default:
		return fmt.Errorf("unknown command %q: want none or %s", args[0], stressCommand)
	}
}

// run plays all acts and prints what became of the calls.
func run(ctx context.Context, w io.Writer, n network, each time.Duration) error {
	f, err := startFleet(ctx, n, "one", "two", "three")
	if err != nil {
		return err
	}
	defer f.stop()
	c, err := connect(f)
	if err != nil {
		return err
	}
	defer c.close()
	if err := c.wait(ctx); err != nil && ctx.Err() == nil {
		return err
	}
	for _, act := range play(f) {
		fmt.Fprintf(w, "%-52s", act.title)
		seen := c.load(ctx, each, act.change)
		if ctx.Err() != nil {
			fmt.Fprintln(w)
			return nil
		}
		var shares strings.Builder
		for _, m := range f.members {
			fmt.Fprintf(&shares, "%s %3d  ", m.name, seen.served[m.name])
		}
		fmt.Fprintf(w, "%s lost %d, turned away %d, breaker %v\n", &shares, seen.lost, seen.rejected, c.breaker.State())
	}
	return nil
}

// act is a change in the fleet, made while calls come.
type act struct {
	title  string
	change func()
}

func play(f *fleet) []act {
	one, two, three := f.members[0], f.members[1], f.members[2]
	all := func(broken bool) func() {
		return func() {
			for _, m := range f.members {
				m.broken.Store(broken)
			}
		}
	}
	return []act{
		{"all serve", func() {}},
		{"two loses what it needs", func() { two.broken.Store(true) }},
		{"two has it again; one loses what it can do without", func() { two.broken.Store(false); one.slow.Store(true) }},
		{"three drains and starts again", three.restart},
		{"all lose what they need", all(true)},
		{"all have it again", all(false)},
	}
}

// network is where servers listen and how clients reach them.
type network struct {
	listen func(name string) (net.Listener, error)
	dial   func(ctx context.Context, address string) (net.Conn, error)
}

func overTCP(ctx context.Context) network {
	addresses := make(map[string]string) // a server that restarts comes back to where it was
	return network{
		listen: func(name string) (net.Listener, error) {
			if addresses[name] == "" {
				port, err := freeport.Take(ctx)
				if err != nil {
					return nil, err
				}
				addresses[name] = net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
			}
			return new(net.ListenConfig).Listen(context.Background(), "tcp", addresses[name])
		},
		dial: func(ctx context.Context, address string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "tcp", address)
		},
	}
}
