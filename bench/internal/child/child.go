// Package child is what the two programs have in common that are measured as a whole: they start, report that they serve,
// idle for a while and print what that cost.
package child

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"

	"github.com/vitals-go/vitals/bench/internal/measure"
)

// Checks is how many checks each program runs by default, at the default interval of half a minute.
const Checks = 10

// Cost is what a program prints after Serving, as JSON.
type Cost struct {
	CPU time.Duration // of an idle minute
	RSS float64       // bytes, after start
}

// Serving is the line that a program prints as soon as its own health check over TCP returns SERVING.
const Serving = "SERVING"

// Flags are the flags of both programs.
type Flags struct {
	Idle    time.Duration
	Checks  int
	Methods int
}

// Parse parses the command line.
func Parse() (f Flags) {
	flag.DurationVar(&f.Idle, "idle", 0, "how long to idle before the cost is printed")
	flag.IntVar(&f.Checks, "checks", Checks, "how many checks run")
	flag.IntVar(&f.Methods, "methods", 10, "how many methods are registered")
	flag.Parse()
	return f
}

// Listen listens on a free port of the loopback interface.
func Listen() net.Listener {
	lis, err := new(net.ListenConfig).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	return lis
}

// Report prints Serving once addr does, idles, and prints the cost.
func (f Flags) Report(addr string) {
	conn, err := grpc.NewClient(addr, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		panic(err)
	}
	client := healthpb.NewHealthClient(conn)
	for {
		r, err := client.Check(context.Background(), &healthpb.HealthCheckRequest{}, grpc.WaitForReady(true))
		if err == nil && r.GetStatus() == healthpb.HealthCheckResponse_SERVING {
			break
		}
		time.Sleep(100 * time.Microsecond)
	}
	fmt.Println(Serving)
	_ = conn.Close()
	if f.Idle == 0 {
		return
	}
	time.Sleep(2 * time.Second) // the end of the start
	cost := Cost{RSS: resident()}
	began, before := time.Now(), measure.CPU()
	time.Sleep(f.Idle)
	cost.CPU = time.Duration(float64(measure.CPU()-before) * float64(time.Minute) / float64(time.Since(began)))
	if err := json.NewEncoder(os.Stdout).Encode(cost); err != nil {
		panic(err)
	}
}

// resident returns the memory of the process that is in RAM, 0 where there is no /proc.
func resident() float64 {
	text, _ := os.ReadFile("/proc/self/status")
	for line := range strings.Lines(string(text)) {
		if value, found := strings.CutPrefix(line, "VmRSS:"); found {
			kib, _ := strconv.ParseFloat(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(value), "kB")), 64)
			return kib * 1024
		}
	}
	return 0
}
