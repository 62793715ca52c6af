// Package recipes runs the checks of docs/checks.md against real databases, caches and brokers.
package recipes
