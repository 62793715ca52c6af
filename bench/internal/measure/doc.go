// Package measure measures on a machine that may have other load: subjects in turns, so that whatever disturbs one disturbs
// all, statistics that a disturbance hardly moves, and how large the disturbance was.
//
// Nothing here is safe for concurrent use, and only one measurement may run at a time: it changes GOMAXPROCS and reads
// the heap of the whole process.
package measure
