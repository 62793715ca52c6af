// Package statuspage renders a servicer.Report as an HTML page with charts, kept up to date by an event stream, and as a
// badge. probes.Handler serves it at /health; a Page can also be mounted by itself.
//
// A Page runs no check. It is rendered once per report and viewer. Raw errors are shown only to callers that
// servicer.Details allows.
package statuspage
