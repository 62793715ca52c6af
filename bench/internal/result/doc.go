// Package result is what a run of the benchmarks leaves behind: goals that were judged, figures to draw, and numbers to
// reason with, each with the machine, the day and the command that it came from. It is kept as JSON, so that tables and
// charts are made anew without measuring, and written as Markdown.
//
// A Run is a plain value; it is not safe for concurrent changes.
package result
