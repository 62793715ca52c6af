package testdeps

import (
	"flag"
	"strconv"
)

// Parallel lets up to n parallel tests of a package run at once, whatever the number of CPUs: tests of processes mostly
// wait. TestMain calls it before it runs the tests. The flag -parallel has no effect then.
func Parallel(n int) {
	if err := flag.Set("test.parallel", strconv.Itoa(n)); err != nil {
		panic(err)
	}
}
