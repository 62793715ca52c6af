package measure

import (
	"os"
	"strconv"
	"strings"
	"time"
)

// Load measures how busy the machine is with other work than this process.
type Load struct {
	busy time.Duration // of all processors since the machine started, time stolen by the hypervisor included
	own  time.Duration
	at   time.Time
	// processors is how many of them are counted in busy.
	processors int
}

// StartLoad begins a measurement.
func StartLoad() Load {
	busy, processors := busyTime()
	return Load{busy: busy, own: CPU() + childrenCPU(), at: time.Now(), processors: processors}
}

// Others returns the share of all processors, from 0 to 1, that other programs and the hypervisor have used since StartLoad.
// Child processes count as this program once they have ended. It returns 0 where the kernel does not report it in
// /proc/stat.
func (l Load) Others() float64 {
	now := StartLoad()
	all := now.at.Sub(l.at) * time.Duration(now.processors)
	if all <= 0 {
		return 0
	}
	others := (now.busy - l.busy) - (now.own - l.own)
	return min(max(float64(others)/float64(all), 0), 1)
}

// tick is the unit of /proc/stat.
const tick = 10 * time.Millisecond

// busyTime reads the first lines of /proc/stat: user, nice, system, idle, iowait, irq, softirq, steal.
func busyTime() (busy time.Duration, processors int) {
	text, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0, 0
	}
	return parseStat(string(text))
}

func parseStat(text string) (busy time.Duration, processors int) {
	for line := range strings.Lines(text) {
		fields := strings.Fields(line)
		if len(fields) < 9 || !strings.HasPrefix(fields[0], "cpu") {
			break
		}
		if fields[0] != "cpu" {
			processors++
			continue
		}
		for _, i := range []int{1, 2, 3, 6, 7, 8} {
			ticks, _ := strconv.ParseInt(fields[i], 10, 64)
			busy += time.Duration(ticks) * tick
		}
	}
	return busy, processors
}
