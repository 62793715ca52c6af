// Package servicertest tests the health of a gRPC server from outside: the protocol grpc.health.v1, the drain, and whether
// all health endpoints agree. It works with any server behind a connection, in any language.
//
//	func TestHealth(t *testing.T) {
//		conn := startMyServer(t)
//		servicertest.Run(t, servicertest.Target{Conn: conn, Names: []string{"shop.v1.Orders"}})
//	}
//
// Each further field of Target adds rules: with Fail, that a failing check takes out readiness and nothing else at every
// endpoint; with Drain, the order of the shutdown. Rules that cannot be tested are in Result.Skipped. Rules lists all of
// them with their source; Target.Skip excludes those that a server does not promise.
//
// Check uses one goroutine for each watch and one for Drain; all have ended when it returns, unless Drain does not
// return. It does not close the connection, and works in a testing/synctest bubble.
package servicertest
