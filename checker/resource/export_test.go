package resource

import (
	"io/fs"
	"time"

	"github.com/vitals-go/vitals/checker"
)

type (
	Host     = host
	CPUTimes = cpuTimes
	Usage    = usage
	Disk     = diskState
	Machine  = machine
	Measure  = measure
)

// MachineOn returns a fake machine. Process returns the CPU time of this process and GOMAXPROCS; it may be nil.
func MachineOn(h Host, files fs.FS, process func() (time.Duration, int, error)) Machine {
	return machine{host: h, files: files, process: process}
}

// ChecksOn is Checks on a fake machine.
func ChecksOn(m Machine, cfg Config) ([]checker.Check, error) { return checksOn(m, cfg) }

// NewMemo caches where the control groups are, as the real machine does.
var NewMemo = newMemo

// ThisProcess is the CPU time of the test's process.
var ThisProcess = processCPU

// ThisHost is the machine that the tests run on.
var ThisHost Host = gopsutil{}

var (
	SampleOf  = machine.sample
	MemoryOf  = machine.memoryShare
	ExplainOn = machine.explain
)
