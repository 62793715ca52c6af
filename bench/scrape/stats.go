package main

import (
	"fmt"
	"math"
	"slices"
	"time"
)

// sample is how long things took within a block.
type sample []time.Duration

func (s sample) quantile(q float64) time.Duration {
	sorted := slices.Sorted(slices.Values(s))
	return sorted[min(int(q*float64(len(sorted))), len(sorted)-1)]
}

// blocks are those of one kind.
type blocks []sample

func (b blocks) count() (n int) {
	for _, s := range b {
		n += len(s)
	}
	return n
}

// quantiles returns a quantile of each block in which there was anything.
func (b blocks) quantiles(q float64) (each sample) {
	for _, s := range b {
		if len(s) > 0 {
			each = append(each, s.quantile(q))
		}
	}
	return each
}

// median returns the median over the blocks of each block's quantile.
func (b blocks) median(q float64) time.Duration {
	return b.quantiles(q).quantile(.5).Round(time.Microsecond)
}

// noise returns by how much a value differs from the next, in the median: of blocks alike, what nothing has caused.
func (s sample) noise() time.Duration {
	var steps sample
	for i := range s[1:] {
		steps = append(steps, (s[i+1] - s[i]).Abs())
	}
	return steps.quantile(.5)
}

// change is by how much something differs from something else, pair by pair.
type change struct{ median, low, high time.Duration }

// changeOf returns the median of the differences, and between which of them the true median lies 95 times out of 100,
// whatever their distribution: as many lie above it as below, each by the toss of a coin.
func changeOf(with, without sample) change {
	var each sample
	for i := range with {
		each = append(each, with[i]-without[i])
	}
	slices.Sort(each)
	outside := tossed(len(each))
	return change{each.quantile(.5), each[outside], each[len(each)-1-outside]}
}

// tossed returns the largest k for which n coins show at most k heads no more often than 2.5 times out of 100. It is 0 for
// n below 6, of which that cannot be said.
func tossed(n int) (k int) {
	chance := math.Exp2(float64(-n)) // of exactly k heads
	for sum := chance; ; sum += chance {
		chance *= float64(n-k) / float64(k+1)
		if sum+chance > .025 {
			return k
		}
		k++
	}
}

func (c change) String() string {
	signed := func(d time.Duration) string {
		d = d.Round(10 * time.Microsecond)
		if d > 0 {
			return "+" + d.String()
		}
		return d.String()
	}
	return fmt.Sprintf("%s (%s to %s)", signed(c.median), signed(c.low), signed(c.high))
}
