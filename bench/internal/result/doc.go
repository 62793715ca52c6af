// Package result holds the results of a run: goals that were measured, figures to draw, and numbers to
// calculate with, each with the machine, the day and the command that it came from. It is kept as JSON, so that tables and
// charts are made anew without measuring, and written as Markdown.
//
// A Run is a plain value; it is not safe for concurrent changes.
package result
