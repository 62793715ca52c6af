// Package board holds what is known about each name, tells readers at once and watchers as soon as it changes.
//
// Two parties write: a judge, who publishes all judged names together, and the application, which sets single names.
// A judged name serves only if both agree. Above both stand two switches: Shut, which can be opened again, and Drain,
// which cannot.
//
// Concurrency: all methods may be called concurrently. Lookup and All take no lock, and no lock is held while watchers
// are woken.
//
// Ownership: a Board starts no goroutine. A Watch belongs to who opened it, and must be closed by them.
//
// Cost: a lookup is one map access and two atomic loads. Setting what is already so writes nothing. A change costs one
// edition and one channel, however many watch; waking them is paid by the writer, after every lock is released.
// A name that is not known costs nothing once its last watch is closed.
package board
