package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"

	"github.com/vitals-go/vitals/internal/e2e/endpoints"
	"github.com/vitals-go/vitals/servicer/vitalspb"
)

// mistype lets a kubelet and a load balancer probe names with a typing error, and a liveness probe by the kubelet beside it. The
// report has to count them, with what they were told.
func (c *campaign) mistype(ctx context.Context, s step) error {
	times := 1 + int(s.draw%3)
	conn, err := endpoints.Dial(c.endpoints.Addr, grpc.WithUserAgent("kube-probe/1.34"))
	if err != nil {
		return err
	}
	defer conn.Close()
	for range times {
		call, cancel := context.WithTimeout(ctx, endpoints.Timeout)
		_, mistyped := healthpb.NewHealthClient(conn).Check(call, &healthpb.HealthCheckRequest{Service: "livenes"})
		answer, err := healthpb.NewHealthClient(conn).Check(call, &healthpb.HealthCheckRequest{Service: "liveness"})
		code, webErr := c.askAs(call, "ELB-HealthChecker/2.0", "/readyy")
		cancel()
		if err := errors.Join(err, webErr); err != nil {
			return err
		}
		if got := status.Code(mistyped); got != codes.NotFound || code != http.StatusNotFound {
			return fmt.Errorf("a mistyped name gets %v over gRPC, a path %d", got, code)
		}
		c.probed("kubelet grpc livenes", "NOT_FOUND")
		c.probed("kubelet grpc liveness", answer.GetStatus().String())
		c.probed("elb http /readyy", strconv.Itoa(code))
	}
	for deadline := time.Now().Add(3*time.Second + c.allowance); ; {
		err := c.probersReported(ctx)
		if err == nil || time.Now().After(deadline) {
			return err
		}
		if err := pause(ctx, 20*time.Millisecond); err != nil {
			return err
		}
	}
}

// answered is what one prober has got in this life of the server.
type answered struct {
	times uint64
	last  string
}

func (c *campaign) probed(who, answer string) {
	c.probers[who] = answered{c.probers[who].times + 1, answer}
}

func (c *campaign) askAs(ctx context.Context, agent, path string) (int, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+c.endpoints.Web+path, nil)
	if err != nil {
		return 0, err
	}
	request.Header.Set("User-Agent", agent)
	resp, err := c.endpoints.HTTP.Do(request)
	if err != nil {
		return 0, err
	}
	_, err = io.Copy(io.Discard, resp.Body)
	return resp.StatusCode, errors.Join(err, resp.Body.Close())
}

// probersReported compares the report's probers with those of this life.
func (c *campaign) probersReported(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, endpoints.Timeout)
	defer cancel()
	report, err := c.endpoints.Reports.GetHealthReport(ctx, &vitalspb.HealthReportRequest{})
	if err != nil {
		return err
	}
	found := map[string]answered{}
	for _, p := range report.GetProbers() {
		who := p.GetProber() + " " + p.GetProtocol() + " " + p.GetName()
		if _, ours := c.probers[who]; ours {
			found[who] = answered{p.GetRequests(), p.GetAnswer()}
			if unknown := p.GetName() != "liveness"; p.GetUnknown() != unknown || p.GetStopped() {
				return fmt.Errorf("%v: want unknown %v, and not stopped", p, unknown)
			}
		}
	}
	for who, want := range c.probers {
		if found[who] != want {
			return fmt.Errorf("prober %s: %+v, want %+v", who, found[who], want)
		}
	}
	return nil
}
