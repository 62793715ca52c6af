// Package fleet writes FLEET.md: what ten thousand instances send and cost, computed from the measurements of one.
// Every number on the page is a kept measurement, an assumption that the page names, or arithmetic of these.
package fleet
