package vitals_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"testing"
	"time"

	"google.golang.org/grpc"
	testpb "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/metadata"

	"github.com/vitals-go/vitals"
	"github.com/vitals-go/vitals/checker"
	"github.com/vitals-go/vitals/checker/resource"
)

// wantEnvoy waits until header, and no other of Envoy's, is in answers over gRPC and of both HTTP paths.
func (w *world) wantEnvoy(t *testing.T, header string) {
	t.Helper()
	eventually(t, func() error {
		var answer metadata.MD
		if _, err := testpb.NewTestServiceClient(w.conn).EmptyCall(t.Context(), &testpb.Empty{}, grpc.WaitForReady(true), grpc.Header(&answer)); err != nil {
			return err
		}
		answers := []metadata.MD{answer}
		for _, path := range []string{"/health", "/ready"} {
			response, err := http.Get("http://" + w.http + path)
			if err != nil {
				return err
			}
			response.Body.Close()
			answer := metadata.MD{}
			for name, values := range response.Header {
				answer.Append(name, values...)
			}
			answers = append(answers, answer)
		}
		for _, answer := range answers {
			for _, name := range []string{"x-envoy-degraded", "x-envoy-immediate-health-check-fail"} {
				if told := len(answer.Get(name)) == 1; told != (name == header) {
					return fmt.Errorf("want %q, got %v", header, answer)
				}
			}
		}
		return nil
	})
}

// unjudged keeps the machine that the tests run on out of the verdict: it may be as busy as it likes.
func unjudged() resource.Config {
	return resource.Config{Limits: map[string]checker.Limit{"cpu_usage": {}, "memory_usage": {}, "disk_usage": {}, "open_files": {}, "pids": {}}}
}

func TestEnvoyHeadersOverHTTPAndGRPC(t *testing.T) {
	w := serve(t, func(cfg *vitals.Config) {
		cfg.Envoy = true
		cfg.DrainDelay = 3 * time.Second
		cfg.Resources = unjudged()
	})
	w.wantEnvoy(t, "")
	if err := w.Checker().Add(checker.Check{Name: "cache", Optional: true, Run: func(context.Context) error { return errors.New("down") }}); err != nil {
		t.Fatal(err)
	}
	w.wantEnvoy(t, "x-envoy-degraded")
	w.stop()
	w.wantEnvoy(t, "x-envoy-immediate-health-check-fail")
	if err := <-w.ended; err != nil {
		t.Errorf("Serve returns %v", err)
	}
	http.DefaultClient.CloseIdleConnections()
}

func TestNoEnvoyHeadersByDefault(t *testing.T) {
	w := serve(t, func(cfg *vitals.Config) { cfg.Resources = unjudged() })
	if err := w.Checker().Add(checker.Check{Name: "cache", Optional: true, Run: func(context.Context) error { return errors.New("down") }}); err != nil {
		t.Fatal(err)
	}
	eventually(t, func() error {
		if w.Report().Overall != checker.Warning {
			return errors.New("no warning yet")
		}
		return nil
	})
	w.wantEnvoy(t, "")
	w.end(t)
}
