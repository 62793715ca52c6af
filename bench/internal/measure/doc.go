// Package measure takes figures on a machine that other people use too: subjects in turns, so that whatever disturbs
// one disturbs all, and statistics that a disturbance hardly moves.
//
// Nothing here is safe for concurrent use, and only one measurement may run at a time: it changes GOMAXPROCS and reads
// the heap of the whole process.
package measure
