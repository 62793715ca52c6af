package mutual

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"

	"github.com/vitals-go/vitals"
	"github.com/vitals-go/vitals/checker"
	"github.com/vitals-go/vitals/checker/dependency"
	"github.com/vitals-go/vitals/internal/e2e/rig"
	"github.com/vitals-go/vitals/internal/e2e/testdeps"
)

const patience = time.Minute

// TestMain is the service itself if its variables are set.
func TestMain(m *testing.M) {
	addr, peer := os.Getenv("MUTUAL_ADDR"), os.Getenv("MUTUAL_PEER")
	if addr == "" {
		os.Exit(m.Run())
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	if err := serve(ctx, addr, peer); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func serve(ctx context.Context, addr, peer string) error {
	conn, err := grpc.NewClient(peer, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return err
	}
	ping, err := dependency.GRPC(dependency.GRPCConfig{Conn: conn})
	if err != nil {
		return err
	}
	health, err := vitals.New(vitals.Config{
		Dependencies: []checker.Check{{
			Name: "peer", Run: ping, Interval: 200 * time.Millisecond, Gates: []string{checker.Readiness, checker.Startup},
		}},
		DrainDelay: -1,
	})
	if err != nil {
		return err
	}
	lis, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	return health.Serve(ctx, grpc.NewServer(health.ServerOptions()...), lis)
}

func start(t *testing.T, addr, peer string) *rig.Process {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self) //nolint:gosec // This test itself.
	cmd.Env = append(os.Environ(), "MUTUAL_ADDR="+addr, "MUTUAL_PEER="+peer)
	p, err := rig.Start(cmd)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Kill)
	return p
}

// serves waits until the server at addr serves.
func serves(t *testing.T, addr string) {
	t.Helper()
	conn, err := grpc.NewClient(addr, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	testdeps.Eventually(t, patience, func() error {
		answer, err := healthpb.NewHealthClient(conn).Check(t.Context(), &healthpb.HealthCheckRequest{}, grpc.WaitForReady(true))
		if err == nil && answer.GetStatus() != healthpb.HealthCheckResponse_SERVING {
			err = fmt.Errorf("%s is %v", addr, answer.GetStatus())
		}
		return err
	})
}

func TestServicesThatRequireEachOtherStart(t *testing.T) {
	var addrs [2]string
	for i := range addrs {
		port, err := rig.Port(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		addrs[i] = rig.Addr(port)
	}
	begin := func(i int) *rig.Process { return start(t, addrs[i], addrs[1-i]) }
	first := begin(0)
	testdeps.Eventually(t, patience, func() error { // it has seen that the other is missing
		conn, err := net.Dial("tcp", addrs[0])
		if err == nil {
			err = conn.Close()
		}
		return err
	})
	second := begin(1)
	serves(t, addrs[0])
	serves(t, addrs[1])

	first.Kill()
	second.Kill()
	begin(1)
	begin(0)
	serves(t, addrs[0])
	serves(t, addrs[1])
}
