// Package fleet reckons from what one instance sends and costs to ten thousand, and writes the page that says so. Every
// number on the page is measured and kept, an assumption that the page names, or arithmetic of these.
package fleet
