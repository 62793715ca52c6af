// Package response holds what the HTTP endpoints, the status page and the health file share: the results of the probes,
// viewers, and documents that are rendered once per report.
package response
