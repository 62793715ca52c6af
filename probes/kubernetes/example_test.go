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
	patch, err := pod.Patch(kubernetes.Target{Name: "orders"})
	if err != nil {
		fmt.Println(err)
		return
	}
	os.Stdout.Write(patch)
	// Output:
	// apiVersion: apps/v1
	// kind: Deployment
	// metadata:
	//   name: orders
	// spec:
	//   template:
	//     spec:
	//       terminationGracePeriodSeconds: 30
	//       containers:
	//       - name: orders
	//         startupProbe:
	//           grpc:
	//             port: 9090
	//             service: startup
	//           periodSeconds: 1
	//           timeoutSeconds: 1
	//           failureThreshold: 61
	//         livenessProbe:
	//           grpc:
	//             port: 9090
	//             service: liveness
	//           periodSeconds: 10
	//           timeoutSeconds: 1
	//           failureThreshold: 3
	//         readinessProbe:
	//           grpc:
	//             port: 9090
	//             service: readiness
	//           periodSeconds: 2
	//           timeoutSeconds: 1
	//           failureThreshold: 2
}

// Timings that cannot work together are refused, each with its reason.
func ExampleProbes_contradictions() {
	_, err := kubernetes.Probes(kubernetes.Config{
		HTTPPort:    8080,
		DrainDelay:  5 * time.Second,
		Readiness:   kubernetes.Timing{Period: 10 * time.Second},
		Liveness:    kubernetes.Timing{Period: 2 * time.Second},
		GracePeriod: 20 * time.Second,
	})
	fmt.Println(err)
	// Output:
	// kubernetes: Liveness restarts after 6s (Period × FailureThreshold), before Readiness takes the traffic away after 10s
	// kubernetes: Readiness needs 10s (Period × FailureThreshold) to notice a drain, longer than the DrainDelay of 5s: endpoints may still route to the pod when GracefulStop begins
	// kubernetes: GracePeriod is 20s, but the drain may take 25s (PreStop 0s + DrainDelay 5s + ShutdownTimeout 20s) and needs a second more to end: calls in flight would be killed
}
