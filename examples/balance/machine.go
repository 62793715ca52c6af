package main

import (
	"math"
	"os"
	"time"

	gopsutil "github.com/shirou/gopsutil/v3/process"
)

// newUtilization returns a function for orcavitals.Config.Utilization: the share of one CPU that this process has used
// since the call before. Several servers on one computer would otherwise all report the load of that computer.
func newUtilization() (func() float64, error) {
	self, err := gopsutil.NewProcess(int32(os.Getpid()))
	if err != nil {
		return nil, err
	}
	var used float64
	at := time.Now()
	return func() float64 {
		times, err := self.Times()
		if err != nil {
			return math.NaN() // unknown
		}
		before, since := used, at
		used, at = times.User+times.System, time.Now()
		return (used - before) / at.Sub(since).Seconds()
	}, nil
}
