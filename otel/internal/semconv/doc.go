// Package semconv holds every word that the OpenTelemetry semantic conventions for RPC (version 1.45, stable) give us,
// so that a change of theirs is a change of this package only.
package semconv
