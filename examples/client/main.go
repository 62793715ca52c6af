// Client calls the inventory server: reads and writes of a few hundred items, listings, deletions, and some invalid requests.
//
//	go run ./examples/client -addr localhost:50051 -rps 50 -for 1m
//
// About one call in six fails on purpose: it names an item that does not exist (NotFound) or is invalid (InvalidArgument).
// It prints rate, errors by code, latency, the position of its watch of changes, and the server's health every second. Its
// calls use gRPC's client-side health checking: while the server is not serving, they are not sent.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	_ "google.golang.org/grpc/health" // Client-side health checking.

	inventoryv1 "github.com/vitals-go/vitals/examples/inventory/v1"
)

// options are the command line.
type options struct {
	addr     string
	tls      bool
	rate     float64
	duration time.Duration
	workers  int
	items    int
}

func main() {
	var o options
	flag.StringVar(&o.addr, "addr", "localhost:50051", "the server")
	flag.BoolVar(&o.tls, "tls", false, "use TLS, with the system's authorities")
	flag.Float64Var(&o.rate, "rps", 50, "requests per second")
	flag.DurationVar(&o.duration, "for", time.Minute, "how long; 0 is until Ctrl-C")
	flag.IntVar(&o.workers, "workers", 64, "requests in flight at most")
	flag.IntVar(&o.items, "items", 300, "how many different items")
	flag.Parse()

	first, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	ctx, end := context.WithCancel(context.Background())
	context.AfterFunc(first, func() { stop(); end() }) // The first signal ends; by then the second one kills.
	if err := run(ctx, o, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func (o options) validate() error {
	var mistakes []error
	if !(o.rate > 0 && o.rate <= 1e6) {
		mistakes = append(mistakes, fmt.Errorf("-rps is %v, want more than 0 and at most a million", o.rate))
	}
	if o.duration < 0 {
		mistakes = append(mistakes, fmt.Errorf("-for is %v, want 0 or more", o.duration))
	}
	if o.workers < 1 {
		mistakes = append(mistakes, fmt.Errorf("-workers is %d, want at least 1", o.workers))
	}
	if o.items < 1 {
		mistakes = append(mistakes, fmt.Errorf("-items is %d, want at least 1", o.items))
	}
	return errors.Join(mistakes...)
}

// howLong returns how long the client runs, as text.
func (o options) howLong() string {
	if o.duration == 0 {
		return "ever, until Ctrl-C"
	}
	return o.duration.String()
}

// run puts load on the server until ctx ends or the time is over, and prints what it sees.
func run(ctx context.Context, o options, w io.Writer) error {
	if err := o.validate(); err != nil {
		return err
	}
	fmt.Fprintf(w, "%.4g calls a second to %s for %s; about one in six fails on purpose: NotFound and InvalidArgument\n", o.rate, o.addr, o.howLong())
	if o.duration > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, o.duration)
		defer cancel()
	}
	balanced, plain, err := dial(o)
	if err != nil {
		return err
	}
	defer balanced.Close()
	defer plain.Close()

	var (
		working sync.WaitGroup
		verdict verdict
		follow  follower
		tally   tally
	)
	items := inventoryv1.NewInventoryClient(balanced)
	working.Go(func() { verdict.follow(ctx, plain) })
	working.Go(func() { follow.run(ctx, items) })
	working.Go(func() {
		fill(ctx, o, items)
		load(ctx, o, items, &tally)
	})
	report(ctx, w, &tally, &follow, &verdict)
	working.Wait()
	fmt.Fprintln(w, tally.summary())
	return nil
}

// healthChecked enables client-side health checking: gRPC sends no calls to a server that is not serving.
const healthChecked = `{
	"loadBalancingConfig": [{"round_robin": {}}],
	"healthCheckConfig": {"serviceName": "inventory.v1.Inventory"}
}`

// dial returns a connection with client-side health checking for the calls, and one without it, on which the server
// can be asked for its verdict while it is not serving.
func dial(o options) (balanced, plain *grpc.ClientConn, err error) {
	secrecy := insecure.NewCredentials()
	if o.tls {
		secrecy = credentials.NewTLS(nil)
	}
	plain, err = grpc.NewClient(o.addr, grpc.WithTransportCredentials(secrecy))
	if err != nil {
		return nil, nil, err
	}
	balanced, err = grpc.NewClient(o.addr, grpc.WithTransportCredentials(secrecy), grpc.WithDefaultServiceConfig(healthChecked))
	if err != nil {
		_ = plain.Close()
		return nil, nil, err
	}
	return balanced, plain, nil
}
