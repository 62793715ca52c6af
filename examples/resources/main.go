// The program resources prints what vitals measures of CPU, memory, disk, processes and pressure where it runs: from which
// files, with which formula, and what other programs make of the same files. Run it inside a container to compare.
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/vitals-go/vitals/checker"
	"github.com/vitals-go/vitals/checker/resource"
)

func main() {
	limits := map[string]checker.Limit{}
	for _, name := range []string{"load", "cpu_throttling", "cpu_pressure", "memory_pressure", "io_pressure"} {
		limits[name] = checker.Above(100)
	}
	text, err := resource.Explain(context.Background(), resource.Config{Limits: limits})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Print(text)
}
