package vitals_test

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/vitals-go/vitals"
	"github.com/vitals-go/vitals/checker"
	"github.com/vitals-go/vitals/probes/kubernetes"
)

func ping(context.Context) error { return nil }

func ExampleConfig_Kubernetes() {
	config, err := vitals.Config{
		Dependencies:    []checker.Check{{Name: "database", Run: ping}},
		HealthGRPCAddr:  ":9090",
		DrainDelay:      10 * time.Second,
		ShutdownTimeout: 30 * time.Second,
	}.Kubernetes()
	if err != nil {
		fmt.Println(err)
		return
	}
	pod, err := kubernetes.Probes(config)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(pod.GracePeriod())
	os.Stdout.Write(pod.Patch("orders")) // for kubectl patch deployment orders --patch-file
	// Output:
	// 45s
	// {
	//   "spec": {
	//     "template": {
	//       "spec": {
	//         "containers": [
	//           {
	//             "name": "orders",
	//             "startupProbe": {
	//               "grpc": {
	//                 "port": 9090,
	//                 "service": "startup"
	//               },
	//               "periodSeconds": 1,
	//               "timeoutSeconds": 1,
	//               "failureThreshold": 61
	//             },
	//             "livenessProbe": {
	//               "grpc": {
	//                 "port": 9090,
	//                 "service": "liveness"
	//               },
	//               "periodSeconds": 10,
	//               "timeoutSeconds": 1,
	//               "failureThreshold": 3
	//             },
	//             "readinessProbe": {
	//               "grpc": {
	//                 "port": 9090,
	//                 "service": "readiness"
	//               },
	//               "periodSeconds": 5,
	//               "timeoutSeconds": 1,
	//               "failureThreshold": 2
	//             }
	//           }
	//         ],
	//         "terminationGracePeriodSeconds": 45
	//       }
	//     }
	//   }
	// }
}

func TestKubernetesChoosesListener(t *testing.T) {
	for name, test := range map[string]struct {
		config     vitals.Config
		grpc, http int
		complaint  string
	}{
		"HTTP":         {config: vitals.Config{HTTPAddr: ":8080"}, http: 8080},
		"gRPC first":   {config: vitals.Config{HTTPAddr: ":8080", HealthGRPCAddr: "[::]:9090"}, grpc: 9090},
		"none":         {},
		"any port":     {config: vitals.Config{HTTPAddr: ":0"}, complaint: `PLUGIN_HEALTH_HTTP_ADDR) is ":0"`},
		"no port":      {config: vitals.Config{HealthGRPCAddr: "9090"}, complaint: "PLUGIN_HEALTH_GRPC_ADDR)"},
		"loopback":     {config: vitals.Config{HTTPAddr: "127.0.0.1:8080"}, complaint: "the kubelet connects to the address of the pod"},
		"broken check": {config: vitals.Config{OptionalChecks: []string{"cache"}}, complaint: "unknown dependency"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := test.config.Kubernetes()
			if test.complaint != "" {
				if err == nil || !strings.Contains(err.Error(), test.complaint) {
					t.Errorf("error %v, want %q", err, test.complaint)
				}
				return
			}
			if err != nil || got.GRPCPort != test.grpc || got.HTTPPort != test.http {
				t.Errorf("asks gRPC %d, HTTP %d, error %v; want %d, %d", got.GRPCPort, got.HTTPPort, err, test.grpc, test.http)
			}
		})
	}
}

// The timeout that operators set for all checks counts, and whom they make optional does not.
func TestKubernetesHasChecksWithDefaults(t *testing.T) {
	config := vitals.Config{
		HTTPAddr: ":8080", CheckTimeout: time.Minute, CheckInterval: 2 * time.Minute,
		Dependencies: []checker.Check{{Name: "database", Run: ping}},
	}
	refused := func() error {
		t.Helper()
		k, err := config.Kubernetes()
		if err != nil {
			t.Fatal(err)
		}
		k.Startup.FailureThreshold = 60
		_, err = kubernetes.Probes(k)
		return err
	}
	if err := refused(); err == nil || !strings.Contains(err.Error(), `first result of check "database" may take 1m0s`) {
		t.Errorf("error %v, want that start-up is too short", err)
	}
	config.OptionalChecks = []string{"database"}
	if err := refused(); err != nil {
		t.Errorf("an optional check is waited for: %v", err)
	}
}
