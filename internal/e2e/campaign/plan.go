package main

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/vitals-go/vitals/internal/e2e/oracle"
)

// kind is what a step does.
type kind string

const (
	breakOne     kind = "fault"         // something goes wrong with a dependency, or something else does
	mendOne      kind = "heal"          // a dependency works again
	restart      kind = "restart"       // SIGTERM, and another start
	crash        kind = "crash"         // SIGKILL, and another start
	abortedStart kind = "aborted start" // SIGTERM while the server starts, and another start
	freeze       kind = "freeze"        // SIGSTOP, and SIGCONT later
	dropWatchers kind = "drop watchers" // many streams are opened and cut off
	flood        kind = "probe flood"   // many probers at once, at every endpoint
	scrapes      kind = "scrapes"       // Prometheus, many times at once
	badConfig    kind = "wrong config"  // a start with wrong variables
	clockJump    kind = "clock jump"    // the wall clock of the server is set
	fullDisk     kind = "full disk"     // no room for the health file, and room again
	// What an application does.
	manual        kind = "manual status"       // SetServingStatus
	shutdown      kind = "Shutdown"            // of the health service
	resume        kind = "Resume"              // after it, or without
	shutAndResume kind = "Shutdown and Resume" // at once, with manual statuses, and Resume at last
	maintain      kind = "maintenance"         // begun, renewed, and over
	forceBreaker  kind = "forced breaker"      // of the second source, opened or closed
	replaceCheck  kind = "replaced check"      // by an equal one
	silentClients kind = "silent clients"      // come, or leave
	override      kind = "override file"       // written, replaced, with a mistake, removed
	mistypedProbe kind = "mistyped probe"      // of a kubelet and a load balancer
)

// specials are the steps that are not about one dependency.
var specials = []kind{
	restart, crash, abortedStart, freeze, dropWatchers, flood, scrapes, badConfig, clockJump, fullDisk,
	manual, manual, shutdown, resume, shutAndResume, maintain, forceBreaker, replaceCheck, silentClients,
	override, override, mistypedProbe,
}

// fault is what is wrong with a dependency.
type fault string

const (
	noFault  fault = ""
	killed   fault = "killed"   // the process is gone
	frozen   fault = "frozen"   // SIGSTOP: connections stay open, nobody answers
	refused  fault = "refused"  // nobody listens
	reset    fault = "reset"    // connections are cut as soon as something is said
	silent   fault = "silent"   // the network swallows what is said
	slow     fault = "slow"     // each answer takes longer than a check waits
	failing  fault = "failing"  // the dependency itself says that it does not work
	sluggish fault = "sluggish" // each answer is a little late: no fault to the server
	chopped  fault = "chopped"  // answers come in pieces: no fault to the server
)

// harmless reports whether the server must not notice.
func (f fault) harmless() bool { return f == noFault || f == sluggish || f == chopped }

// quiet reports whether the fault shows by nobody answering.
func (f fault) quiet() bool { return f == frozen || f == silent || f == slow }

const (
	database = oracle.Database
	cache    = oracle.Cache
	prices   = oracle.Prices
	upstream = oracle.Upstream

	reserve = "reserve" // a breaker without a check, in a source of its own
)

// manualNames get manual statuses: those of probes, of a service, of checks, which may be hidden, and of nothing else.
var manualNames = []string{"", "readiness", "liveness", oracle.Service, database, cache, "none", "shop.v1.Extra"}

var (
	dependencies = []string{database, cache, prices, upstream}
	faults       = []fault{killed, frozen, refused, reset, silent, slow, sluggish, chopped}
)

// faultsOf are the faults that a dependency can have.
func faultsOf(dependency string) []fault {
	if dependency == prices {
		return append(slices.Clone(faults), failing)
	}
	return faults
}

// step is one thing that happens. It holds everything that is random about it.
type step struct {
	number     int
	kind       kind
	dependency string        // of breakOne and mendOne
	fault      fault         // of breakOne
	pause      time.Duration // how long a freeze lasts, or how long a start may go on before it is aborted
	jump       time.Duration // of clockJump, forth or back
	draw       uint64        // for choices that only the step itself knows
	name       string        // of manual and maintain
	status     string        // of manual
}

func (s step) String() string {
	switch s.kind {
	case breakOne:
		return fmt.Sprintf("%s %s", s.dependency, s.fault)
	case mendOne:
		return s.dependency + " works again"
	case freeze, abortedStart:
		return fmt.Sprintf("%s (%v)", s.kind, s.pause)
	case clockJump:
		return fmt.Sprintf("%s (%+v)", s.kind, s.jump)
	}
	if s.kind == manual || s.kind == maintain {
		return strings.TrimSpace(fmt.Sprintf("%s of %q %s", s.kind, s.name, s.status))
	}
	return string(s.kind)
}

// newPlan returns the first steps of a seed's sequence. It depends on nothing else: not on time, not on what is
// installed, and a shorter plan is the beginning of a longer one.
func newPlan(seed uint64, steps int) []step {
	broken, full, shut := map[string]fault{}, false, false
	plan := make([]step, 0, steps)
	for n := range steps {
		random := rand.New(rand.NewPCG(seed, uint64(n)))
		s := nextStep(random, broken, full, shut)
		s.number = n + 1
		switch s.kind {
		case breakOne:
			broken[s.dependency] = s.fault
		case mendOne:
			delete(broken, s.dependency)
		case fullDisk:
			full = !full
		case shutdown:
			shut = true
		case resume, shutAndResume, restart, crash, abortedStart:
			shut = false
		}
		plan = append(plan, s)
	}
	return plan
}

// nextStep decides what happens next in a world where some dependencies are broken. The more of them there are, the
// sooner one is mended; and neither does a disk stay full nor health shut down for long.
func nextStep(random *rand.Rand, broken map[string]fault, full, shut bool) step {
	s := step{
		draw:  random.Uint64(),
		pause: time.Duration(random.IntN(1000)) * time.Millisecond,
		jump:  time.Duration(1+random.IntN(7200)) * time.Second,
	}
	if random.IntN(2) == 0 {
		s.jump = -s.jump
	}
	choice := random.IntN(100)
	switch mend := 20 * len(broken); {
	case choice < mend:
		s.kind = mendOne
		s.dependency = pick(random, brokenOnes(broken))
	case choice < mend+(100-mend)*6/10:
		s.kind = breakOne
		s.dependency = pick(random, dependencies)
		all := faultsOf(s.dependency)
		s.fault = pick(random, slices.DeleteFunc(slices.Clone(all), func(f fault) bool { return f == broken[s.dependency] }))
	default:
		s.kind = pick(random, specials)
		switch {
		case shut && random.IntN(2) == 0:
			s.kind = resume
		case full && random.IntN(3) == 0:
			s.kind = fullDisk
		}
	}
	switch s.kind {
	case manual:
		s.name, s.status = pick(random, manualNames), pick(random, []string{"SERVING", "NOT_SERVING", "UNKNOWN"})
	case maintain:
		s.name = pick(random, []string{"", "readiness", oracle.Service, database, cache})
	case clockJump:
		if random.IntN(3) == 0 {
			s.jump = (s.jump / 1000).Truncate(time.Second) // a few seconds
		}
	}
	if s.kind == freeze {
		s.pause += usual().fileLife() + 200*time.Millisecond
	}
	return s
}

func pick[T any](random *rand.Rand, from []T) T { return from[random.IntN(len(from))] }

// brokenOnes lists the dependencies that have a fault, in an order that does not depend on a map's.
func brokenOnes(broken map[string]fault) []string {
	var all []string
	for _, name := range dependencies {
		if broken[name] != noFault {
			all = append(all, name)
		}
	}
	return all
}
