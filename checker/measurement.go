package checker

// Measurement is a number that a check read.
type Measurement struct {
	// Value in Unit.
	Value float64
	// Unit follows the number in messages: "%" or " ms". May be empty.
	Unit string
	// Source says, for everybody to read, what the value was measured against: "of the cgroup limit (512 MiB)".
	Source string
}
