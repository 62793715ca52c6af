// Package rediscache remembers items of an inventory in Redis.
//
// It is a read-through cache that any number of servers may share. Each entry carries its revision, and only a newer
// one replaces it: a reader that was slow to bring an old item from the database cannot overwrite what a writer has
// put there since. When Redis is away, nothing is remembered and the database answers; what a writer could not tell
// the cache meanwhile expires with [Config.TTL].
//
// Entries are kept apart by the identity of the inventory, so that servers of different ones may share a Redis.
package rediscache
