package fleet

// Shape is the service that everything is calculated for: an ordinary one.
type Shape struct {
	Methods  int // all of them called
	Codes    int // that the calls of a method ended with, OK among them
	Checks   int
	Breakers int
}

// Service is the shape of an instance.
func Service() Shape { return Shape{Methods: 20, Codes: 3, Checks: 10, Breakers: 5} }

// FewBuckets are bounds of latency with fewer series than Prometheus' default: in seconds.
func FewBuckets() []float64 { return []float64{.01, .1, .5, 2.5} }
