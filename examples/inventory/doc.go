// Package inventory is a small but complete gRPC service: it keeps track of what is in stock and lets clients follow
// every change. It exists to show vitals at work, and it is written as one would write it for production.
//
// A [Service] needs a [Store]. A [Cache], [Prices] and an [Upstream] are optional: when they are missing, slow or
// broken, answers cost more or say less, but they are never wrong and never fail for it.
//
// Ownership: [New] starts nothing. [Service.Run] owns the one goroutine that follows the store's history and feeds all
// watchers. A watcher that reads slowly falls behind on its own: it blocks neither writers nor other watchers, and
// catches up from the store. All methods may be called concurrently.
package inventory
