// Package recipes has checks to copy and those of docs/checks.md, and runs them against real databases, caches and brokers.
package recipes
