package vitals

import "google.golang.org/grpc"

// HealthOnlyServer returns the server of Config.HealthGRPCAddr.
func (h *Health) HealthOnlyServer() *grpc.Server { return h.healthOnlyServer() }
