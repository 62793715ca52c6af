package main

import (
	"google.golang.org/grpc"

	"github.com/vitals-go/vitals/servicer"
	"github.com/vitals-go/vitals/servicer/vitalspb"
)

// registrar catches what is registered, so that a handler can be called without a network.
type registrar struct{ implementation any }

func (r *registrar) RegisterService(_ *grpc.ServiceDesc, implementation any) {
	r.implementation = implementation
}

func reportServer(health *servicer.Server) vitalspb.HealthReportServiceServer {
	var r registrar
	health.RegisterReports(&r)
	return r.implementation.(vitalspb.HealthReportServiceServer)
}
