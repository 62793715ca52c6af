// Package servicertest judges a server's health: does it keep the rules of grpc.health.v1, does it drain so that nobody
// loses a call, and do all its doors say the same?
//
// It asks from outside, through a connection, and so fits any server: one made with vitals, one with the health package
// of grpc-go, one in another language behind an address.
//
//	func TestHealth(t *testing.T) {
//		conn := startMyServer(t)
//		servicertest.Run(t, servicertest.Target{Conn: conn, Names: []string{"shop.v1.Orders"}})
//	}
//
// The more a Target can do, the more rules are tested: with Fail and Heal that a failing check takes out readiness and
// nothing else, at every door, and gives it back; with Drain the order of the end. A rule that cannot be tested is
// reported as such, see Verdict.Untested, never as kept.
//
// Rules lists all rules, each with its source: the text of the protocol, a gRFC, or what vitals promises on top. Who
// judges another server skips what that server never promised: Target.Skip takes the identifiers of rules.
//
// # Concurrency, ownership, cost
//
// Check starts a goroutine for each watch and one for Drain, and has ended them all when it returns, unless Drain itself
// does not return. It closes no connection that it was given. Nothing is global: many servers may be judged at a time.
// It works inside a testing/synctest bubble if the server does.
package servicertest
