package healthclient

import (
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"
)

func TestStatesDifferByStatusAndCode(t *testing.T) {
	down := &State{Err: status.Error(codes.Unavailable, "down")}
	for name, test := range map[string]struct {
		other *State
		same  bool
	}{
		"none":             {nil, false},
		"time and message": {&State{Err: status.Error(codes.Unavailable, "draining"), Time: time.Now()}, true},
		"code":             {&State{Err: status.Error(codes.Unimplemented, "down")}, false},
		"no error":         {&State{}, false},
		"status":           {&State{Err: down.Err, Status: healthpb.HealthCheckResponse_SERVING}, false},
	} {
		if got := down.same(test.other); got != test.same {
			t.Errorf("%s: got the same state %v, want %v", name, got, test.same)
		}
	}
}
