// Real probes once as a kubelet does, with the kubelet's own packages, and prints what it would conclude: success or failure.
// This module also pins the blackbox exporter. It is a module of its own, so that other modules do not depend on Kubernetes.
//
//	go build -o /tmp/kubelet . && /tmp/kubelet http://127.0.0.1:8080/ready && /tmp/kubelet grpc://127.0.0.1:50051/readiness
package main

import (
	"fmt"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	grpcprobe "k8s.io/kubernetes/pkg/probe/grpc"
	httpprobe "k8s.io/kubernetes/pkg/probe/http"
)

const timeout = 5 * time.Second

func main() {
	result, err := probe(os.Args[1])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println(result)
}

func probe(target string) (string, error) {
	u, err := url.Parse(target)
	if err != nil {
		return "", err
	}
	if u.Scheme == "grpc" {
		port, err := strconv.Atoi(u.Port())
		if err != nil {
			return "", err
		}
		result, _, err := grpcprobe.New().Probe(u.Hostname(), strings.TrimPrefix(u.Path, "/"), port, timeout)
		return string(result), err
	}
	request, err := httpprobe.NewProbeRequest(u, nil)
	if err != nil {
		return "", err
	}
	result, _, err := httpprobe.New(false).Probe(request, timeout)
	return string(result), err
}
