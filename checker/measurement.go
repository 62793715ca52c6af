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

// Threshold judges a Measurement. The zero value judges nothing: every measurement is healthy.
type Threshold struct {
	// Critical is the value above which the check is critical. 0 means none.
	Critical float64
	// Warning is the value above which the check warns. Default 0.8 × Critical; negative means none.
	Warning float64
	// Hysteresis is the share of a threshold by which the value must fall below it before the status improves, so
	// that a value that trembles around the line does not flap. Default 0.05; negative means none.
	Hysteresis float64
}
