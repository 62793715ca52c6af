package servicer

import (
	"log/slog"
	"slices"
	"sync/atomic"
	"time"

	"github.com/vitals-go/vitals/breaker"
	"github.com/vitals-go/vitals/checker"
	"github.com/vitals-go/vitals/interceptor"
	"github.com/vitals-go/vitals/internal/errtext"
	"github.com/vitals-go/vitals/internal/usercode"
)

// inputs are everything that an evaluation depends on. They are guarded by Server.mu.
type inputs struct {
	now   time.Time
	phase Phase
	state evaluationState

	readings
	// measured are the checks as the checker has them, readings.checks those that are evaluated: after the override, and with
	// those in shadow as optional ones. shadow are the latter as they are, once they have run.
	measured []*checker.Result
	shadow   []*checker.Result
	startup  startup

	services []string                 // sorted: registered services
	manual   map[string]servingStatus // by manualName; readiness is in it once set
	setNames []string                 // those set since the last evaluation
	// distinctNames is how many of setNames were different when this was last counted.
	distinctNames int
	setAt         time.Time     // when one was last set
	shutdown      bool          // between Shutdown and Resume
	standby       bool          // set by SetStandby
	groups        groups        // of the configuration
	maintenance   []Maintenance // set by SetMaintenance, in force, sorted by name
	override      *override     // in force
	overrideErr   error         // of the file, after which override stays
	contradiction contradiction
	watches       int      // open Watch streams
	rejected      uint64   // calls rejected by the gate interceptors
	probers       []Prober // sorted
}

// evaluationState says whether sources are read.
type evaluationState uint8

const (
	evaluating evaluationState = iota // or there are no sources
	ended                             // Run has returned
	stalled                           // a source blocks
)

// readings are what all sources returned at one time.
type readings struct {
	checks   []*checker.Result // sorted by name
	breakers []breaker.Snapshot
	requests *interceptor.Snapshot
	stuck    stuck
	// breakersErr and requestsErr are panics of sources.
	breakersErr, requestsErr error
}

// sources are where a Server reads health data. Each may be missing.
type sources struct {
	checker  *checker.Checker
	checks   []*checker.Result // when they were last read
	requests requests
	breakers []breaker.SnapshotSource
	// blocking is the index of the breaker source that is being read. It is written by the reader and read when that
	// does not return.
	blocking *atomic.Int32
}

func newSources(cfg *Config) sources {
	return sources{
		checker: cfg.Checker, requests: requests{recorder: cfg.Recorder, stuck: stuckCalls{after: cfg.Requests.StuckAfter}}, blocking: new(atomic.Int32),
		// A nil source has been reported; the others are read all the same, so that their mistakes are found too.
		breakers: slices.DeleteFunc(cfg.Breakers, func(s breaker.SnapshotSource) bool { return s == nil }),
	}
}

func (s *sources) any() bool {
	return s.checker != nil || s.requests.recorder != nil || len(s.breakers) > 0
}

// changed returns a channel that is closed when the checker has a newer snapshot; nil without one.
func (s *sources) changed() <-chan struct{} {
	if s.checker == nil {
		return nil
	}
	return s.checker.Changed()
}

// read reads all sources. It calls code of users, so no lock may be held; it may block and does not panic.
func (s *sources) read() (r readings) {
	if s.checker != nil {
		s.checks = s.checker.Snapshot().Results
		r.checks = s.checks
	}
	for i, source := range s.breakers {
		s.blocking.Store(int32(i)) //nolint:gosec // A Config holds no two billion sources.
		snapshots, err := usercode.Call(func() []breaker.Snapshot { return captured(source.Snapshots()) })
		r.breakers = append(r.breakers, snapshots...)
		if err != nil {
			r.breakersErr = err
		}
	}
	r.breakers = mergeBreakers(r.breakers)
	if s.requests.recorder != nil {
		r.requests, r.requestsErr = s.requests.read()
		r.stuck = s.requests.stuck.observe(r.requests)
	}
	return r
}

// captured calls the Error methods of failures once. Those of a *breaker.Breaker are captured already.
func captured(snapshots []breaker.Snapshot) []breaker.Snapshot {
	snapshots = slices.Clone(snapshots)
	for i := range snapshots {
		snapshots[i].LastFailure = errtext.Capture(snapshots[i].LastFailure)
		snapshots[i].Name = validUTF8(snapshots[i].Name)
	}
	return snapshots
}

// accept makes r part of the inputs, and logs a source that has begun to panic.
func (s *Server) accept(in *inputs, r readings) {
	logPanic := func(source string, before, now error) {
		if before == nil && now != nil {
			s.log.Log(slog.LevelError, "health source panicked", slog.String("source", source), slog.String("error", now.Error()))
		}
	}
	logPanic("breakers", in.breakersErr, r.breakersErr)
	logPanic("recorder", in.requestsErr, r.requestsErr)
	in.readings, in.measured = r, r.checks
	in.deriveChecks()
	s.logUnknownGates()
	in.state = evaluating
}

// startup records whether startup has completed, which is latched.
type startup struct {
	over   bool
	passed map[string]bool // checks that gate startup and have passed once
}

// observe completes startup when every check that gates readiness or startup has a result, and every check that gates
// startup has passed once, not necessarily all at the same time.
func (s *startup) observe(checks []*checker.Result) {
	if s.over {
		return
	}
	over := true
	for _, c := range checks {
		if c.Optional {
			continue
		}
		if slices.Contains(c.Gates, checker.Startup) && !s.pass(c) {
			over = false
		}
		if slices.Contains(c.Gates, checker.Readiness) && c.Reason == checker.ReasonNotRunYet {
			over = false
		}
	}
	if over {
		s.over, s.passed = true, nil
	}
}

func (s *startup) pass(c *checker.Result) bool {
	if c.Status.Serves() {
		if s.passed == nil {
			s.passed = make(map[string]bool)
		}
		s.passed[c.Name] = true
	}
	return s.passed[c.Name]
}

// currentPhase derives the phase from startup and Drain. Phases only go forward.
func (in *inputs) currentPhase() Phase {
	if in.phase < Ready && in.startup.over {
		in.phase = Ready
	}
	return in.phase
}
