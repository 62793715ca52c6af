package week

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"
	"google.golang.org/grpc/test/bufconn"

	"github.com/vitals-go/vitals"
	"github.com/vitals-go/vitals/breaker"
	"github.com/vitals-go/vitals/checker"
	"github.com/vitals-go/vitals/checker/resource"
	"github.com/vitals-go/vitals/interceptor"
	"github.com/vitals-go/vitals/internal/e2e/endpoints"
	"github.com/vitals-go/vitals/probes"
	"github.com/vitals-go/vitals/probes/promvitals"
	"github.com/vitals-go/vitals/servicer"
)

// shop is one life of the server, from one deployment to the next, wired as a user does it.
type shop struct {
	*scenario
	servicer *servicer.Server
	checker  *checker.Checker
	recorder *interceptor.Recorder
	handler  http.Handler
	serve    func(context.Context, *grpc.Server, net.Listener) error
	options  []grpc.ServerOption
	ticks    bool // the server reads the recorder every second
	payments *breaker.Breaker
	second   *twoBreakers

	dependencies []checker.Check
	silent       *endpoints.Silent
	client       *grpc.ClientConn
	cancel       context.CancelFunc
	ended        chan error
	born         time.Duration

	// What the operator has set.
	hidden      bool // the names of checks
	services    []string
	manual      map[string]string // by name; "" is readiness
	shutdown    bool
	reserveOpen bool

	pinged uint64 // payments' pings in earlier lives

	mu       sync.Mutex
	handled  [17]uint64
	panics   uint64
	sent     uint64 // messages
	charged  uint64 // calls of payments
	rejected uint64
}

func (w *scenario) deploy(t *testing.T, file string, calls *interceptor.Recorder) *shop {
	t.Helper()
	w.lives++
	s := &shop{
		scenario: w, ended: make(chan error, 1), born: w.now(), pinged: w.asked["payments"].pages(), second: newTwoBreakers(t),
		hidden: w.lives%2 == 0, services: []string{orders}, manual: map[string]string{},
	}
	var err error
	if s.payments, err = breaker.New(breaker.Config{Name: "payments", ProbeOnly: true, MaxOpenTime: time.Minute}); err != nil {
		t.Fatal(err)
	}
	build := s.byParts
	if s.born < 3*time.Hour {
		build = s.whole
	}
	err = build(file)
	if err != nil {
		t.Fatal(err)
	}
	s.setBeforeStart(t)
	server := grpc.NewServer(s.options...)
	server.RegisterService(&ordersDesc, s)
	lis := bufconn.Listen(1 << 16)
	var ctx context.Context
	ctx, s.cancel = context.WithCancel(context.Background())
	go func() { s.ended <- s.serve(ctx, server, lis) }()
	dial := func(options ...grpc.DialOption) *grpc.ClientConn {
		conn, err := grpc.NewClient("passthrough:///shop", append(options, grpc.WithTransportCredentials(insecure.NewCredentials()),
			grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return lis.DialContext(ctx) }))...)
		if err != nil {
			t.Fatal(err)
		}
		return conn
	}
	s.client = dial(calls.DialOptions()...)
	synctest.Wait()
	if s.silent, err = endpoints.OpenSilent(func() (*grpc.ClientConn, error) {
		return dial(endpoints.SilentOptions()...), nil
	}, false); err != nil {
		t.Fatal(err)
	}
	return s
}

// whole wires a server as the README does it.
func (s *shop) whole(file string) error {
	health, err := vitals.New(s.config(file))
	if err != nil {
		return err
	}
	s.servicer, s.checker, s.recorder, s.handler = health.Server(), health.Checker(), health.Recorder(), health.Handler()
	s.serve, s.options, s.ticks = health.Serve, health.ServerOptions(), true
	return nil
}

// byParts wires a server from the packages. It evaluates checks and breakers only.
func (s *shop) byParts(file string) error {
	cfg := s.config(file)
	resources, err := resource.Checks(cfg.Resources)
	checks := slices.Concat(cfg.Dependencies, cfg.Checks, resources)
	for i := range checks {
		checks[i].Interval = cmp.Or(checks[i].Interval, cfg.CheckInterval)
	}
	var errs [6]error
	s.checker, errs[0] = checker.New(checker.Config{Checks: checks, Logger: cfg.Logger})
	s.recorder, errs[1] = interceptor.New(interceptor.Config{Logger: cfg.Logger})
	s.servicer, errs[2] = servicer.New(servicer.Config{Checker: s.checker, Breakers: cfg.Breakers, HideChecks: cfg.HideChecks, Logger: cfg.Logger})
	if err := errors.Join(err, errs[0], errs[1], errs[2]); err != nil {
		return err
	}
	var written *probes.File
	var page *promvitals.Collector
	written, errs[3] = probes.NewFile(probes.FileConfig{Path: file, Source: s.servicer, Interval: cfg.CheckInterval, Logger: cfg.Logger})
	page, errs[4] = promvitals.New(promvitals.Config{Source: s.servicer, Recorder: s.recorder})
	metrics, err := promvitals.Handler(page)
	s.handler, errs[5] = probes.NewHandler(probes.HandlerConfig{Source: s.servicer, Metrics: metrics})
	s.options = s.recorder.ServerOptions()
	s.serve = func(ctx context.Context, server *grpc.Server, lis net.Listener) error {
		beside, dismiss := context.WithCancel(context.WithoutCancel(ctx))
		var wg sync.WaitGroup
		wg.Go(func() { _ = s.checker.Run(beside) })
		wg.Go(func() { _ = written.Run(beside) })
		s.servicer.Register(server)
		s.recorder.Register(server)
		err := s.servicer.Serve(ctx, server, lis)
		dismiss()
		wg.Wait()
		return err
	}
	return errors.Join(append(errs[:], err)...)
}

func (s *shop) config(file string) vitals.Config {
	often := func(c checker.Check) checker.Check {
		c.Interval, c.Timeout = interval, 5*time.Second
		return c
	}
	cfg := vitals.Config{
		CheckInterval: 2 * time.Minute, FilePath: file, Prometheus: true,
		HideChecks: s.hidden, Breakers: []breaker.SnapshotSource{s.payments, s.second},
		Resources: resource.Config{Limits: map[string]checker.Limit{"cpu_usage": {}, "memory_usage": {}, "disk_usage": {}, "open_files": {}, "pids": {}}},
		Logger:    slog.New(slog.DiscardHandler),
	}
	for _, n := range needs {
		run := s.steady(n.name)
		if n.name == "payments" {
			run = s.payments.Check(run)
		}
		check := often(checker.Check{Name: n.name, Run: run, Optional: n.optional})
		if n.gates != "" {
			check.Gates = []string{n.gates}
		}
		cfg.Dependencies = append(cfg.Dependencies, check)
	}
	s.dependencies = cfg.Dependencies
	cfg.Checks = []checker.Check{
		often(checker.Check{Name: "loop", Kind: checker.Process, Run: s.steady("loop")}),
		{Name: "cpu_usage", Kind: checker.Resource, Measure: s.cpu, Warning: checker.Above(64), Critical: checker.Above(80)},
	}
	return cfg
}

// steady is the check's function for this life: the gap between two lives is none of the schedule's.
func (s *shop) steady(name string) func(context.Context) error {
	s.asked[name].turn()
	return s.ask(name)
}

var ordersDesc = grpc.ServiceDesc{
	ServiceName: orders,
	HandlerType: (*any)(nil),
	Methods:     []grpc.MethodDesc{{MethodName: "Get", Handler: getOrder}},
	Streams:     []grpc.StreamDesc{{StreamName: "Follow", ServerStreams: true, Handler: followOrders}},
}

func getOrder(srv any, ctx context.Context, decode func(any) error, intercept grpc.UnaryServerInterceptor) (any, error) {
	request := new(healthpb.HealthCheckRequest)
	if err := decode(request); err != nil {
		return nil, err
	}
	info := &grpc.UnaryServerInfo{Server: srv, FullMethod: "/" + orders + "/Get"}
	return intercept(ctx, request, info, func(ctx context.Context, _ any) (any, error) {
		return srv.(*shop).get(ctx, request.Service)
	})
}

// get does what the order's name says, and keeps its own books.
func (s *shop) get(ctx context.Context, order string) (any, error) {
	var err error
	switch order {
	case "missing":
		err = status.Error(codes.NotFound, "no such order")
	case "slow":
		time.Sleep(300 * time.Millisecond)
	case "cursed":
		s.book(codes.Internal, 0)
		s.mu.Lock()
		s.panics++
		s.mu.Unlock()
		panic("cursed")
	case "paid":
		err = s.charge(ctx)
	}
	if err != nil {
		s.book(status.Code(err), 0)
		return nil, err
	}
	s.book(codes.OK, 1)
	return new(healthpb.HealthCheckResponse), nil
}

func (s *shop) charge(ctx context.Context) error {
	_, err := breaker.Do(ctx, s.payments, func(context.Context) (bool, error) {
		if state, _ := s.state("payments", s.now()); state != well {
			return false, status.Error(codes.Unavailable, "payments")
		}
		return true, nil
	})
	s.mu.Lock()
	defer s.mu.Unlock()
	s.charged++
	if breaker.IsRejected(err) {
		s.rejected++
	}
	return err
}

func followOrders(srv any, stream grpc.ServerStream) error {
	request := new(healthpb.HealthCheckRequest)
	if err := stream.RecvMsg(request); err != nil {
		return err
	}
	for range len(request.Service) {
		if err := stream.SendMsg(new(healthpb.HealthCheckResponse)); err != nil {
			return err
		}
	}
	srv.(*shop).book(codes.OK, uint64(len(request.Service)))
	return nil
}

func (s *shop) book(code codes.Code, messages uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.handled[code]++
	s.sent += messages
}

// books are the calls that the shop has handled, by code.
func (s *shop) books() [17]uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.handled
}

// balance compares what the recorder and the breaker have counted with the shop's own books: nothing is lost and
// nothing is counted twice. Nobody may be calling.
func (s *shop) balance(t *testing.T) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	total := s.recorder.Server().Total
	var sum uint64
	byCode := s.handled
	for code, n := range s.handled {
		sum += n
		byCode[code] = total.ByCode(codes.Code(code))
	}
	if byCode != s.handled || total.Panics != s.panics || total.InFlight() != 0 || total.Handled != sum ||
		total.MsgSent != s.sent || total.MsgReceived != sum || total.Latency.Count() != sum {
		t.Errorf("at %v: the recorder has counted %+v, the shop %v, %d panics, %d messages", s.now(), total, s.handled, s.panics, s.sent)
	}
	check, _ := s.checker.Snapshot().Lookup("payments")
	var runs uint64
	for status := checker.Unknown; status <= checker.Critical; status++ {
		runs += check.Runs.ByStatus(status)
	}
	pinged := s.asked["payments"].pages() - s.pinged
	calls := s.payments.Snapshot().Calls
	results, turned := s.charged-s.rejected+pinged, s.rejected+runs-pinged
	if got := calls.Successes + calls.Failures + calls.Neutral; got != results || calls.Rejected != turned {
		t.Errorf("at %v: the breaker has counted %+v, want %d results and %d rejections", s.now(), calls, results, turned)
	}
}

// order makes one call and returns its code.
func (s *shop) order(name string) codes.Code {
	err := s.client.Invoke(context.Background(), "/"+orders+"/Get", &healthpb.HealthCheckRequest{Service: name}, new(healthpb.HealthCheckResponse))
	return status.Code(err)
}

// follow reads a stream to its end and returns the number of its messages.
func (s *shop) follow(t *testing.T, messages int) (received int) {
	t.Helper()
	stream, err := s.client.NewStream(context.Background(), &ordersDesc.Streams[0], "/"+orders+"/Follow")
	if err == nil {
		err = stream.SendMsg(&healthpb.HealthCheckRequest{Service: strings.Repeat("m", messages)})
	}
	if err == nil {
		err = stream.CloseSend()
	}
	for ; err == nil; received++ {
		err = stream.RecvMsg(new(healthpb.HealthCheckResponse))
	}
	return received - 1
}
