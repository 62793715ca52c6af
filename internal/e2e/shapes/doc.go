// Package shapes tests health on servers of many shapes: served by other code, behind other listeners, with interceptor
// chains of other libraries. For each shape, Test compares Check, Watch, drain, counts and panics with what the plain server
// does.
package shapes
