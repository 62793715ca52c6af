// Package gozero tests health on a server of go-zero, apart from the other shapes because it takes minutes to build.
package gozero
