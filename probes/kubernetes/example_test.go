package kubernetes_test

import (
	"fmt"
	"os"
	"time"

	"github.com/vitals-go/vitals/checker"
	"github.com/vitals-go/vitals/probes/kubernetes"
)

func ExampleProbes() {
	pod, err := kubernetes.Probes(kubernetes.Config{
		GRPCPort: 9090,
		Checks:   []checker.Check{{Name: "database", Timeout: 5 * time.Second}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	os.Stdout.Write(pod.Container())
	// Output:
	// {
	//   "startupProbe": {
	//     "grpc": {
	//       "port": 9090,
	//       "service": "startup"
	//     },
	//     "periodSeconds": 1,
	//     "timeoutSeconds": 1,
	//     "failureThreshold": 61
	//   },
	//   "livenessProbe": {
	//     "grpc": {
	//       "port": 9090,
	//       "service": "liveness"
	//     },
	//     "periodSeconds": 10,
	//     "timeoutSeconds": 1,
	//     "failureThreshold": 3
	//   },
	//   "readinessProbe": {
	//     "grpc": {
	//       "port": 9090,
	//       "service": "readiness"
	//     },
	//     "periodSeconds": 2,
	//     "timeoutSeconds": 1,
	//     "failureThreshold": 2
	//   }
	// }
}

// Timings that conflict are rejected, each with its reason.
func ExampleProbes_conflicts() {
	_, err := kubernetes.Probes(kubernetes.Config{
		HTTPPort:    8080,
		DrainDelay:  5 * time.Second,
		Readiness:   kubernetes.Timing{Period: 10 * time.Second},
		Liveness:    kubernetes.Timing{Period: 2 * time.Second},
		GracePeriod: 20 * time.Second,
	})
	fmt.Println(err)
	// Output:
	// kubernetes: Liveness: restarts after 6s (Period × FailureThreshold), before Readiness removes the pod after 10s
	// kubernetes: Readiness: needs 10s (Period × FailureThreshold) to notice a drain, more than the DrainDelay of 5s: endpoints may still route to the pod when GracefulStop begins
	// kubernetes: GracePeriod: got 20s, want at least one second more than the 25s of a drain (DrainDelay 5s + ShutdownTimeout 20s): calls in flight would be cut off
}
