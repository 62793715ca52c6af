// Package gate decides whether a measured ratio shows a regression or noise. A row is behind if its ratio lies beyond its goal
// by more than a margin in every attempt. By chance that is so rare that it may fail a build, and a regression of that size
// always causes it.
package gate
