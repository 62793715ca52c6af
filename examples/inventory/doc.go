// Package inventory is a complete gRPC service: it keeps track of what is in stock and lets clients follow every change. It
// does not import vitals.
//
// A [Service] needs a [Store]. A [Cache], [Prices] and an [Upstream] are optional: without them responses are slower or have
// less data, but they are never wrong and do not fail.
//
// [New] starts nothing. [Service.Run] owns the one goroutine that follows the store's history and feeds all watchers. A
// watcher that reads slowly delays neither writers nor other watchers, and catches up from the store. All methods are safe
// for concurrent use.
package inventory
