// Package rediscache caches items of an inventory in Redis.
//
// It is a read-through cache that servers may share. Each entry carries its revision, and only a newer one replaces it: a
// reader that is slow to store an old item cannot overwrite a newer one. While Redis is unavailable the database serves all
// reads; entries that a writer could not update meanwhile expire after [Config.TTL].
//
// Entries are prefixed by the identity of the inventory, so that servers of different ones may share a Redis.
package rediscache
