// Package redisbreaker guards a go-redis client with a circuit breaker, through the client's Limiter option.
//
//	limiter, err := redisbreaker.New(redisbreaker.Config{Breaker: b})
//	client := redis.NewClient(&redis.Options{Addr: addr, Limiter: limiter})
//	check := checker.Check{Name: "cache", Run: limiter.Check(func(ctx context.Context) error {
//		return client.Ping(ctx).Err()
//	})}
//
// The package does not import go-redis; a Limiter has the two methods that the client looks for.
//
// # What counts
//
// A reply is a success even if it is an error, redis.Nil among them: the server answered. The exceptions are failures:
// LOADING, CLUSTERDOWN, MASTERDOWN, TRYAGAIN and "max number of clients reached". So is what is not a reply: a
// transport error, a timeout. Neutral are context.Canceled, a pool that had no connection to give in time, and a client
// that has been closed.
//
// # What a Limiter cannot know
//
// go-redis tells a Limiter neither a context nor which call a result belongs to. Results are paired with the most
// recent admission. The handshake of a new connection asks the Limiter too, in the midst of the command that needed the
// connection: while the half-open probe is under way, a few more admissions therefore pass as part of it. A blocking
// command takes as long as it is told to: do not use one with Config.SlowCall.
//
// # Concurrency, ownership and cost
//
// Everything may be used concurrently; nothing is started. Each command takes one short lock twice and allocates
// nothing in the steady state.
package redisbreaker
