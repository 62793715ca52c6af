package servicer_test

import (
	"context"
	"fmt"
	"maps"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"

	"github.com/vitals-go/vitals/servicer"
	"github.com/vitals-go/vitals/servicer/servicertest"
)

// subject is what grpc-go's health.Server and ours have in common.
type subject interface {
	healthpb.HealthServer
	SetServingStatus(service string, status servingStatus)
	Shutdown()
	Resume()
}

// behaviour is something that both do alike, seen from a client.
type behaviour struct {
	name string
	run  func(t *testing.T, ctx context.Context, s subject, client *grpc.ClientConn)
}

func behaviours() []behaviour {
	return []behaviour{
		{"the overall name serves from birth", func(t *testing.T, ctx context.Context, _ subject, client *grpc.ClientConn) {
			expectCheck(t, ctx, client, "", serving)
		}},
		{"the protocol is kept, also after a shutdown", func(t *testing.T, ctx context.Context, s subject, client *grpc.ClientConn) {
			s.SetServingStatus("a", serving)
			s.SetServingStatus("b", notServing)
			target := servicertest.Target{Conn: client, Names: []string{"a", "b"}, ObserveFor: -1, Timeout: time.Minute}
			servicertest.Run(t, target)
			s.Shutdown()
			servicertest.Run(t, target)
			for _, name := range []string{"NOBODY", " ", "a/b", strings.Repeat("x", 1<<10)} {
				_, err := healthpb.NewHealthClient(client).Check(ctx, &healthpb.HealthCheckRequest{Service: name})
				if status.Code(err) != codes.NotFound {
					t.Errorf("Check(%q) = %v, want NOT_FOUND", name, err)
				}
				expectStatus(t, watch(t, ctx, client, name), serviceUnknown)
			}
		}},
		{"check follows every status", func(t *testing.T, ctx context.Context, s subject, client *grpc.ClientConn) {
			for _, want := range []servingStatus{serving, notServing, 0, serviceUnknown, 7, -3, serving} {
				s.SetServingStatus("a", want)
				expectCheck(t, ctx, client, "a", want)
			}
		}},
		{"watch sends at once, then only changes", func(t *testing.T, ctx context.Context, s subject, client *grpc.ClientConn) {
			s.SetServingStatus("a", serving)
			stream := watch(t, ctx, client, "a")
			expectStatus(t, stream, serving)
			s.SetServingStatus("a", serving)
			s.SetServingStatus("b", notServing)
			s.SetServingStatus("a", notServing)
			expectStatus(t, stream, notServing)
			s.SetServingStatus("a", serving)
			expectStatus(t, stream, serving)
		}},
		{"watch of an unknown name follows it", func(t *testing.T, ctx context.Context, s subject, client *grpc.ClientConn) {
			stream, other := watch(t, ctx, client, "later"), watch(t, ctx, client, "later")
			expectStatus(t, stream, serviceUnknown)
			expectStatus(t, other, serviceUnknown)
			s.SetServingStatus("later", notServing)
			expectStatus(t, stream, notServing)
			expectStatus(t, other, notServing)
			s.SetServingStatus("later", serving)
			expectStatus(t, stream, serving)
			expectStatus(t, other, serving)
		}},
		{"watch passes on every status", func(t *testing.T, ctx context.Context, s subject, client *grpc.ClientConn) {
			stream := watch(t, ctx, client, "a")
			expectStatus(t, stream, serviceUnknown)
			for _, want := range []servingStatus{notServing, 0, serviceUnknown, 7, -3, serving} {
				s.SetServingStatus("a", want)
				expectStatus(t, stream, want)
			}
		}},
		{"a watch that its client leaves ends with CANCELLED", func(t *testing.T, ctx context.Context, _ subject, client *grpc.ClientConn) {
			ctx, leave := context.WithCancel(ctx)
			stream := watch(t, ctx, client, "")
			expectStatus(t, stream, serving)
			leave()
			expectEnd(t, stream, codes.Canceled)
		}},
		{"list has every name", func(t *testing.T, ctx context.Context, s subject, client *grpc.ClientConn) {
			want := map[string]servingStatus{"": serving, "a": notServing, "b": 0, "c": serviceUnknown, "d": 7}
			for name, status := range want {
				s.SetServingStatus(name, status)
			}
			watch(t, ctx, client, "unknown names are not listed")
			expectList(t, ctx, client, want)
		}},
		{"list of 100 names and not of 101", func(t *testing.T, ctx context.Context, s subject, client *grpc.ClientConn) {
			want := map[string]servingStatus{"": serving}
			for n := range 100 - known(t, ctx, client) {
				name := fmt.Sprintf("service%d", n)
				want[name] = serving
				s.SetServingStatus(name, serving)
			}
			expectList(t, ctx, client, want)
			s.SetServingStatus("one more", serving)
			_, err := healthpb.NewHealthClient(client).List(ctx, &healthpb.HealthListRequest{})
			if status.Code(err) != codes.ResourceExhausted {
				t.Errorf("List of 101 names = %v, want RESOURCE_EXHAUSTED", err)
			}
		}},
		{"shutdown latches, resume serves", func(t *testing.T, ctx context.Context, s subject, client *grpc.ClientConn) {
			s.SetServingStatus("a", serving)
			s.SetServingStatus("b", notServing)
			stream, stranger := watch(t, ctx, client, "a"), watch(t, ctx, client, "stranger")
			expectStatus(t, stream, serving)
			expectStatus(t, stranger, serviceUnknown)
			s.Shutdown()
			expectStatus(t, stream, notServing)
			s.SetServingStatus("a", serving)
			s.SetServingStatus("stranger", serving)
			expectList(t, ctx, client, map[string]servingStatus{"": notServing, "a": notServing, "b": notServing})
			s.Shutdown()
			s.Resume()
			expectStatus(t, stream, serving)
			expectList(t, ctx, client, map[string]servingStatus{"": serving, "a": serving, "b": serving})
			s.SetServingStatus("stranger", notServing)
			expectStatus(t, stranger, notServing)
			s.SetServingStatus("a", notServing)
			expectStatus(t, stream, notServing)
		}},
		{"resume alone makes every name serve", func(t *testing.T, ctx context.Context, s subject, client *grpc.ClientConn) {
			s.SetServingStatus("a", notServing)
			s.Resume()
			expectList(t, ctx, client, map[string]servingStatus{"": serving, "a": serving})
		}},
	}
}

// expectList wants exactly these names, beside those of probes, which grpc-go's server does not have.
func expectList(t *testing.T, ctx context.Context, client *grpc.ClientConn, want map[string]servingStatus) {
	t.Helper()
	list, err := healthpb.NewHealthClient(client).List(ctx, &healthpb.HealthListRequest{})
	if err != nil {
		t.Fatalf("List: %v", err)
	}
	got := make(map[string]servingStatus)
	for name, response := range list.Statuses {
		if name != "liveness" && name != "readiness" && name != "startup" {
			got[name] = response.Status
		}
	}
	if !maps.Equal(got, want) {
		t.Fatalf("List = %v, want %v", got, want)
	}
}

// known returns how many names List has.
func known(t *testing.T, ctx context.Context, client *grpc.ClientConn) int {
	t.Helper()
	list, err := healthpb.NewHealthClient(client).List(ctx, &healthpb.HealthListRequest{})
	if err != nil {
		t.Fatalf("List: %v", err)
	}
	return len(list.Statuses)
}

func subjects(t *testing.T) map[string]func() (subject, []grpc.ServerOption) {
	return map[string]func() (subject, []grpc.ServerOption){
		"grpc-go": func() (subject, []grpc.ServerOption) { return health.NewServer(), nil },
		"ours":    func() (subject, []grpc.ServerOption) { return newServer(t, servicer.Config{}), nil },
		"ours by interceptor over grpc-go's": func() (subject, []grpc.ServerOption) {
			s := newServer(t, servicer.Config{})
			return registered{s}, []grpc.ServerOption{grpc.UnaryInterceptor(s.UnaryHealthInterceptor), grpc.StreamInterceptor(s.StreamHealthInterceptor)}
		},
	}
}

// registered drives our server while grpc-go's is registered.
type registered struct{ *servicer.Server }

func TestConformsToGrpcHealthServer(t *testing.T) {
	transports := map[string]func(*testing.T) link{"memory": overMemory, "tcp": overTCP, "tls": overTLS, "unix": overUnix}
	for transport, over := range transports {
		for who, build := range subjects(t) {
			for _, b := range behaviours() {
				t.Run(transport+"/"+who+"/"+b.name, func(t *testing.T) {
					run := func(t *testing.T) {
						s, options := build()
						behave(t, over(t), s, options, b)
					}
					if transport == "memory" {
						synctest.Test(t, run)
					} else {
						run(t)
					}
				})
			}
		}
	}
}

// behave runs b against s and leaves nothing running.
func behave(t *testing.T, l link, s subject, options []grpc.ServerOption, b behaviour) {
	server := l.newServer(options...)
	if _, elsewhere := s.(registered); elsewhere {
		healthpb.RegisterHealthServer(server, health.NewServer())
	} else {
		healthpb.RegisterHealthServer(server, s)
	}
	served := make(chan error)
	go func() { served <- server.Serve(l.lis) }()
	client := l.dial(t)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer func() {
		cancel()
		_ = client.Close()
		server.Stop()
		<-served
	}()
	b.run(t, ctx, s, client)
}
