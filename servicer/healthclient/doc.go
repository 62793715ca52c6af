// Package healthclient is the other side of grpc.health.v1: clients that want to know whether a server serves.
//
// ServiceConfig makes a balancing client ask its servers for their health, WeightedServiceConfig heed their load as well;
// WaitServing waits for one, and Watch follows one for as long as its server lives and beyond. Nothing here takes
// silence for health: a server that cannot be reached, does not know the name or implements no health service is not
// serving, and the state says why.
//
// All functions may be called concurrently. Watch and WaitServing own one goroutine and one stream while they run, and
// none after. Following costs nothing while nothing changes; the client owns its connection and closes it itself.
package healthclient
