// Package board holds what is known about each name, tells readers at once and watchers as soon as it changes.
//
// Two parties write: a judge, who publishes all judged names together, and the application, which sets single names.
// A judged name serves only if both agree. Above both stand two switches: Shut, which can be opened again, and Drain,
// which cannot.
//
// Concurrency: all methods of a Board may be called concurrently; a Watch has one owner. Lookup and All take no lock. A
// watch that is busy, or blocked for ever, holds up no other.
//
// Ownership: a Board starts no goroutine. A Watch belongs to who opened it, and must be closed by them.
//
// Cost: a lookup is one map access and two atomic loads. Setting what is already so writes nothing. A change costs one
// edition, however many watch; the writer wakes a few of them, and they wake the others, so that telling 50,000 leaves
// the processors to whoever else needs them meanwhile. A name that is not known costs nothing once its last watch is
// closed.
package statusmap
