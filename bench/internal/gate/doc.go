// Package gate decides whether a measured ratio is bad news or noise. A ratio must lie beyond its goal by more than a
// margin, every time that it is measured anew, before anybody is told: chance does that so rarely that a machine may
// decide, and a real loss of that size does it always.
package gate
