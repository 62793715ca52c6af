// Package statusmap is a concurrent map from names to statuses whose entries can be watched.
//
// Concurrency: all methods of a Map may be called concurrently. Lookup takes no lock, except for a name that was added
// since the last few lookups. A Watch has one owner. A slow or blocked watch delays neither writers nor other watches.
//
// Cost: a lookup is one map access and two atomic loads. Adding a name is amortized O(1). Setting a status that is set
// already writes nothing. A change allocates once, however many watches there are; the writer wakes a few of them, which
// wake the others. An unknown name is dropped with its last watch. A Map starts no goroutine.
package statusmap
