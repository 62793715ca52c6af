// Package chart draws figures as SVG: nothing from outside, legible on light and dark screens, with a
// description for screen readers, and the same text for the same data. Lines have both axes logarithmic, and whole decades on the upright
// one, so that a flat line looks flat; bars begin at zero.
package chart
