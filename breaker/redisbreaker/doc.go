// Package redisbreaker adds a circuit breaker to a go-redis client, through the client's Limiter option.
//
//	limiter, err := redisbreaker.New(redisbreaker.Config{Breaker: b})
//	client := redis.NewClient(&redis.Options{Addr: addr, Limiter: limiter})
//	check := checker.Check{Name: "cache", Run: limiter.Check(func(ctx context.Context) error {
//		return client.Ping(ctx).Err()
//	})}
//
// The package does not import go-redis: a Limiter has the two methods of go-redis' interface.
//
// # Outcomes
//
// A reply is a success, also an error such as redis.Nil: the server responded. Failures are the replies LOADING,
// CLUSTERDOWN, MASTERDOWN, TRYAGAIN and "max number of clients reached", transport errors and timeouts. Neutral are
// context.Canceled, an exhausted connection pool, and a closed client.
//
// # Limits of the Limiter interface
//
// go-redis passes neither a context nor the call that a result belongs to. Results are matched to the most recent
// command. The handshake of a new connection runs through the Limiter within the command that needed the connection:
// during the half-open probe a few more commands are therefore allowed as part of it. Blocking commands would be slow:
// do not use them with Config.SlowCall.
//
// # Concurrency and cost
//
// Everything is safe for concurrent use; nothing is started. A command takes a short lock twice and one small allocation.
package redisbreaker
