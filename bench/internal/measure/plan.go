package measure

import (
	"io"
	"time"
)

// Plan says how long to measure. All fields but Noise and Progress are required.
type Plan struct {
	// Rounds is how many turns each subject gets.
	Rounds int
	// Turn is about how long one turn takes.
	Turn time.Duration
	// Figure makes one figure of a subject's rounds: Sample.Median on a machine that is left alone, Sample.Best where
	// neighbours take the processor away, because they only ever add.
	Figure func(Sample) float64
	// Short leaves out the largest sizes of what grows.
	Short bool
	// Noise records how far the subjects differ from themselves. Default: not recorded.
	Noise *Noise
	// Progress gets a dot now and then. Default: nowhere.
	Progress io.Writer
}

// Sizes are those of something that grows: all of them, or all but the last if the plan is short.
func (p Plan) Sizes(all ...int) []int {
	if p.Short {
		return all[:len(all)-1]
	}
	return all
}

// Times returns the plan with so many times the rounds, three at least.
func (p Plan) Times(factor float64) Plan {
	p.Rounds = max(3, int(float64(p.Rounds)*factor))
	return p
}

// Total is about how long all turns of one subject take.
func (p Plan) Total() time.Duration { return p.Turn * time.Duration(p.Rounds) }

// Dot shows that something goes on.
func (p Plan) Dot() {
	if p.Progress != nil {
		_, _ = io.WriteString(p.Progress, ".")
	}
}
