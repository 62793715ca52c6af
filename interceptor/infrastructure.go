package interceptor

import "strings"

// IsInfrastructure reports whether a full method name, such as /grpc.health.v1.Health/Check, belongs to a service that
// is about the server instead of its work: gRPC health, reflection, the vitals report, load reports, and those of
// go-plugin. Such calls are not counted unless Config.Skip says otherwise.
func IsInfrastructure(fullMethod string) bool {
	service, _, _ := splitName(fullMethod)
	return isInfrastructure(service)
}

func isInfrastructure(service string) bool {
	switch service {
	case "grpc.health.v1.Health",
		"grpc.reflection.v1.ServerReflection",
		"grpc.reflection.v1alpha.ServerReflection",
		"vitals.v1.HealthReportService",
		"AWS.ALB",                            // health checks of its load balancers
		"xds.service.orca.v3.OpenRcaService", // load reports
		// HashiCorp's go-plugin. Two of these streams last as long as the plugin.
		"plugin.GRPCBroker",
		"plugin.GRPCController",
		"plugin.GRPCStdio":
		return true
	default:
		return false
	}
}

// splitName splits a full method name as grpc-go's server does: at the last slash, the leading one cut off.
func splitName(fullMethod string) (service, method string, ok bool) {
	name := strings.TrimPrefix(fullMethod, "/")
	i := strings.LastIndexByte(name, '/')
	if i < 0 {
		return "", "", false
	}
	return name[:i], name[i+1:], true
}
