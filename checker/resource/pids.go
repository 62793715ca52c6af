package resource

import (
	"context"
	"strconv"

	"github.com/vitals-go/vitals/checker"
)

// pidsCheck returns nil where no control group limits the number of processes and threads. The Go runtime ends the process
// when it cannot start a thread.
func (m machine) pidsCheck() measure {
	if _, ok := m.pids(); !ok {
		return nil
	}
	return m.measurePids
}

// measurePids measures the fullest limit; 0 once there is none.
func (m machine) measurePids(context.Context) (checker.Measurement, error) {
	fullest, ok := m.pids()
	if !ok {
		return checker.Measurement{Unit: "%", Source: "of no limit"}, nil
	}
	return checker.Measurement{Value: fullest.percent(), Unit: "%", Source: fullest.source}, nil
}

func (m machine) pids() (fullest level, ok bool) {
	h, _ := readGroups(m.files).find("pids")
	for _, p := range h.places {
		limit, ok := readNumber(m.files, p.dir, "pids.max")
		used, ok2 := readNumber(m.files, p.dir, "pids.current")
		u := usage{used, limit}
		if ok && ok2 && limit > 0 && (fullest.Total == 0 || fuller(u, fullest.usage)) {
			fullest = level{u, "of the cgroup limit (" + strconv.FormatUint(limit, 10) + ")" + p.note()}
		}
	}
	return fullest, fullest.Total > 0
}
