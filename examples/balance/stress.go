package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"
	"time"

	"google.golang.org/grpc"
	_ "google.golang.org/grpc/balancer/weightedroundrobin" // registers the policy
	"google.golang.org/grpc/credentials/insecure"
	_ "google.golang.org/grpc/health" // registers client-side health checking
	testpb "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/resolver"
	"google.golang.org/grpc/resolver/manual"
)

// stressCommand is the experiment.
const stressCommand = "stress"

// policies are what is compared. A weight counts after a blackout; the default of 10 s keeps new servers from being
// judged by their first moments.
var policies = []struct{ name, config string }{
	{"round_robin", `{"round_robin":{}}`},
	{"weighted_round_robin", `{"weighted_round_robin":{"blackoutPeriod":"2s","weightUpdatePeriod":"0.5s"}}`},
}

// experiment is the duration and the load of one experiment.
type experiment struct {
	settle, measure time.Duration
	rate            int // calls a second
	busy            int // goroutines that stress the third server
	rounds          int // of restarts of all servers
}

func parseExperiment(args []string) (e experiment, err error) {
	flags := flag.NewFlagSet(stressCommand, flag.ContinueOnError)
	flags.DurationVar(&e.settle, "settle", 8*time.Second, "before measuring, so that the weights are known")
	flags.DurationVar(&e.measure, "measure", 15*time.Second, "each policy")
	flags.IntVar(&e.rate, "rate", 60, "calls a second")
	flags.IntVar(&e.busy, "busy", 4, "goroutines that stress the third server")
	flags.IntVar(&e.rounds, "rounds", 3, "restarts of each server")
	if err = flags.Parse(args); err == nil && (e.settle < 0 || e.measure <= 0 || e.rate <= 0 || e.busy < 0 || e.rounds < 0) {
		err = errors.New("-settle, -measure, -rate, -busy and -rounds must be positive")
	}
	return e, err
}

// run compares the policies over three server processes, the last of which is stressed, then restarts all of them under
// load. It writes a Markdown table to w, and what it is doing to progress.
func (e experiment) run(ctx context.Context, w, progress io.Writer) error {
	servers, err := startProcesses(ctx, e.busy, "one", "two", "three")
	if err != nil {
		return err
	}
	defer func() { stopProcesses(servers) }()
	fmt.Fprintf(w, "%d calls a second, about a millisecond of work each, over three servers of one CPU; three is stressed.\n\n", e.rate)
	fmt.Fprintln(w, "| policy | one | two | three | calls | p50 | p99 | lost |\n|---|---|---|---|---|---|---|---|")
	for _, policy := range policies {
		fmt.Fprintf(progress, "%s: %v …\n", policy.name, e.settle+e.measure)
		conn, err := dialServers(servers, policy.config)
		if err != nil {
			return err
		}
		_ = e.load(ctx, conn, e.settle)
		result := e.load(ctx, conn, e.measure)
		conn.Close()
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		fmt.Fprintln(w, result.row(policy.name, servers))
	}
	fmt.Fprintln(progress, "rolling restarts …")
	result, err := e.restartAll(ctx, servers)
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "\n%d rolling restarts of all three under load: %d calls, %d lost.\n", e.rounds, result.calls, result.lost)
	return errors.Join(result.errs...)
}

// restartAll restarts one server after the other while calls come, and waits for each to serve before the next.
func (e experiment) restartAll(ctx context.Context, servers []*process) (tally, error) {
	conn, err := dialServers(servers, policies[1].config)
	if err != nil {
		return tally{}, err
	}
	defer conn.Close()
	if err := awaitServing(ctx, conn, servers...); err != nil {
		return tally{}, err
	}
	loading, enough := context.WithCancel(ctx)
	done := make(chan tally)
	go func() { done <- e.load(loading, conn, time.Hour) }()
	for n := 0; n < e.rounds*len(servers) && err == nil; n++ {
		p := servers[n%len(servers)]
		if err = p.restart(ctx); err == nil {
			err = awaitServing(ctx, conn, p)
		}
	}
	enough()
	return <-done, err
}

// awaitServing returns when all of the servers have answered a call.
func awaitServing(ctx context.Context, conn *grpc.ClientConn, servers ...*process) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	missing := make(map[string]bool)
	for _, p := range servers {
		missing[p.name] = true
	}
	for len(missing) > 0 {
		answer, err := testpb.NewTestServiceClient(conn).UnaryCall(ctx, &testpb.SimpleRequest{}, grpc.WaitForReady(true))
		if err != nil {
			return fmt.Errorf("waiting for %d servers to answer: %w", len(missing), err)
		}
		delete(missing, answer.GetServerId())
		time.Sleep(pause)
	}
	return nil
}

// dialServers returns a connection that balances over the servers by policy and by their health.
func dialServers(servers []*process, policy string) (*grpc.ClientConn, error) {
	names := manual.NewBuilderWithScheme("fleet") // dns:/// in production
	var state resolver.State
	for _, p := range servers {
		state.Endpoints = append(state.Endpoints, resolver.Endpoint{Addresses: []resolver.Address{{Addr: p.address}}})
	}
	names.InitialState(state)
	config, err := json.Marshal(map[string]any{
		"loadBalancingConfig": []json.RawMessage{json.RawMessage(policy)},
		"healthCheckConfig":   map[string]string{"serviceName": service},
	})
	if err != nil {
		return nil, err
	}
	return grpc.NewClient("fleet:///", grpc.WithResolvers(names), grpc.WithDefaultServiceConfig(string(config)),
		grpc.WithConnectParams(quickReconnect()), grpc.WithTransportCredentials(insecure.NewCredentials()))
}

// row is a line of the table.
func (t *tally) row(policy string, servers []*process) string {
	cells := []string{"", " " + policy + " "}
	for _, p := range servers {
		cells = append(cells, fmt.Sprintf(" %.1f %% ", 100*t.share(p.name)))
	}
	cells = append(cells, fmt.Sprintf(" %d ", t.calls), fmt.Sprintf(" %v ", t.quantile(0.50)), fmt.Sprintf(" %v ", t.quantile(0.99)),
		fmt.Sprintf(" %d ", t.lost), "")
	return strings.Join(cells, "|")
}
