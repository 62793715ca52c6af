package orcavitals_test

import (
	"context"
	"fmt"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc"
	_ "google.golang.org/grpc/balancer/weightedroundrobin" // the client's side of it all
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	testpb "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/resolver"
	"google.golang.org/grpc/resolver/manual"
	"google.golang.org/grpc/status"

	"github.com/vitals-go/vitals/servicer/orcavitals"
)

const weighted = `{"loadBalancingConfig":[{"weighted_round_robin":{"blackoutPeriod":"2s","enableOobLoadReport":%v,"oobReportingPeriod":"1s"}}]}`

// shares starts three servers, puts load on the third, calls them for a minute, and returns the share of the calls of the
// second half that the third one got.
func shares(t *testing.T, config string, change func(*orcavitals.Config), stress func(*rig)) float64 {
	t.Helper()
	var state resolver.State
	servers := make(map[string]*rig)
	for _, name := range []string{"one", "two", "three"} {
		r := start(t, change)
		defer r.stop()
		servers[name] = r
		r.machine.set(func(m *machine) { m.busy = 0.3 })
		state.Endpoints = append(state.Endpoints, resolver.Endpoint{Addresses: []resolver.Address{{Addr: name}}})
	}
	stress(servers["three"])
	names := manual.NewBuilderWithScheme("fleet")
	names.InitialState(state)
	client, err := grpc.NewClient("fleet:///", grpc.WithResolvers(names), grpc.WithDefaultServiceConfig(config),
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, name string) (net.Conn, error) { return servers[name].lis.DialContext(ctx) }))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	load := func(seconds int) {
		for range seconds * 20 {
			_, err := testpb.NewTestServiceClient(client).UnaryCall(t.Context(), &testpb.SimpleRequest{}, grpc.WaitForReady(true))
			if err != nil && status.Code(err) != codes.Internal {
				t.Fatal(err)
			}
			time.Sleep(50 * time.Millisecond)
		}
	}
	load(30)
	before := servers["three"].recorder.Server().Total.Handled
	load(30)
	return float64(servers["three"].recorder.Server().Total.Handled-before) / 600
}

func TestWeightedRoundRobinSendsFewerCallsToABusyServer(t *testing.T) {
	busy := func(r *rig) { r.machine.set(func(m *machine) { m.busy = 0.9 }) }
	failing := func(r *rig) { r.tests.code.Store(int32(codes.Internal)) }
	for _, test := range []struct {
		name     string
		config   string
		change   func(*orcavitals.Config)
		stress   func(*rig)
		min, max float64
	}{
		{"round robin", `{"loadBalancingConfig":[{"round_robin":{}}]}`, nil, busy, 0.33, 0.34},
		{"equal load", fmt.Sprintf(weighted, false), nil, func(*rig) {}, 0.25, 0.42},
		{"trailers", fmt.Sprintf(weighted, false), nil, busy, 0, 0.1},
		{"streams", fmt.Sprintf(weighted, true), nil, busy, 0, 0.1},
		{"errors", fmt.Sprintf(weighted, false), nil, failing, 0, 0.2},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				if share := shares(t, test.config, test.change, test.stress); share < test.min || share > test.max {
					t.Errorf("the loaded server got %.3f of the calls, want %.2f to %.2f", share, test.min, test.max)
				} else {
					t.Logf("the loaded server got %.3f of the calls", share)
				}
			})
		})
	}
}
