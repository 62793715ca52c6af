package measure

// Noise records how far subjects differ from themselves. The rounds of a subject are split into even and odd ones, which are
// the same subject measured twice in turns (an A/A test): their figures differ by nothing but noise.
type Noise struct{ worst float64 }

// Largest returns the largest deviation of such a ratio from 1, such as 0.03.
func (n *Noise) Largest() float64 { return n.worst }

// record adds the rounds of one subject, if they are enough to split.
func (n *Noise) record(figure func(Sample) float64, rounds Sample) {
	if n == nil || figure == nil || len(rounds) < 4 {
		return
	}
	var halves [2]Sample
	for i, round := range rounds {
		halves[i%2] = append(halves[i%2], round)
	}
	small, large := figure(halves[0]), figure(halves[1])
	if small > large {
		small, large = large, small
	}
	if small > 0 {
		n.worst = max(n.worst, large/small-1)
	}
}
