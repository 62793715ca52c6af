// Package vitalspb holds the messages and stubs of vitals.v1.HealthReportService, generated from
// vitals/v1/report.proto. Package servicer implements the service.
//
// Concurrency and cost are those of generated protobuf code: a message may be read by many goroutines at once and
// changed by one alone.
//
// After a change of the proto run `go generate ./servicer/vitalspb`; that the generated files are up to date is shown
// by `go generate ./servicer/vitalspb && git diff --exit-code servicer/vitalspb`.
package vitalspb

//go:generate env GOWORK=off go tool -modfile=../../tools/go.mod buf generate
