package main

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"google.golang.org/grpc/codes"
	testpb "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/vitals-go/vitals/internal/e2e/testdeps"
)

// callIn makes a call in a trace whose identity is one digit, and says whether it is sampled.
func (s *server) callIn(t *testing.T, digit string, sampled bool, code codes.Code) (trace string) {
	t.Helper()
	trace = strings.Repeat(digit, 32)
	flags := map[bool]string{false: "00", true: "01"}[sampled]
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	ctx = metadata.AppendToOutgoingContext(ctx, "traceparent", "00-"+trace+"-"+strings.Repeat(digit, 16)+"-"+flags)
	_, err := s.client.UnaryCall(ctx, &testpb.SimpleRequest{ResponseStatus: &testpb.EchoStatus{Code: int32(code)}})
	if status.Code(err) != code {
		t.Fatal(err)
	}
	return trace
}

// traces returns the traces that Prometheus has stored for a selector, each with how many series lead to it.
func (p *prometheus) traces(selector string) (map[string]int, error) {
	var data []struct {
		Exemplars []struct {
			Labels map[string]string
		}
	}
	err := p.get("/api/v1/query_exemplars?start=0&end=99999999999&query="+url.QueryEscape(selector), &data)
	found := map[string]int{}
	for _, series := range data {
		for _, e := range series.Exemplars {
			found[e.Labels["trace_id"]]++
		}
	}
	return found, err
}

// leads waits until series lead to a trace.
func (p *prometheus) leads(selector, trace string) {
	p.t.Helper()
	testdeps.Eventually(p.t, patience, func() error {
		found, err := p.traces(selector)
		if err == nil && found[trace] == 0 {
			err = fmt.Errorf("%s leads to %v, want %s", selector, found, trace)
		}
		return err
	})
}

// TestExemplarsArrive follows the trace of a call into Prometheus, through each format that has exemplars.
func TestExemplarsArrive(t *testing.T) {
	t.Parallel()
	each(t, "prometheus", func(t *testing.T, r release) {
		a, b := start(t, "1"), start(t, "1")
		inText := watch(t, r, wish{exemplars: true}, a)
		inProtobuf := watch(t, r, wish{exemplars: true, native: true}, b)
		t.Run("OpenMetrics", func(t *testing.T) { leadsToTraces(t, inText, a, `grpc_server_handling_seconds_bucket`) })
		t.Run("native", func(t *testing.T) { leadsToTraces(t, inProtobuf, b, `grpc_server_handling_seconds`) })
	})
}

func leadsToTraces(t *testing.T, p *prometheus, s *server, latency string) {
	p = &prometheus{t, p.url}
	dropped := s.callIn(t, "1", false, codes.OK)
	good := s.callIn(t, "2", true, codes.OK)
	p.leads(latency, good)
	p.leads(`grpc_server_handled_total{grpc_code="OK"}`, good)
	bad := s.callIn(t, "3", true, codes.Internal)
	p.leads(latency, bad)
	p.leads(`grpc_server_handled_total{grpc_code="Internal"}`, bad)
	if found, err := p.traces(`{job="shop"}`); err != nil || found[dropped] != 0 || found[good] == 0 {
		t.Errorf("all series lead to %v (%v); %s was not sampled", found, err, dropped)
	}
}
