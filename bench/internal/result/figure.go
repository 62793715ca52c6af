package result

// Figure is something to draw: bars, or panels of lines.
type Figure struct {
	// Name is the file's, without its ending.
	Name  string `json:"name"`
	Title string `json:"title"`
	// Note is a sentence below the title: what is compared, and how.
	Note   string  `json:"note"`
	Bars   []Bar   `json:"bars,omitempty"`
	Panels []Panel `json:"panels,omitempty"`
}

// Bar is one quantity, in nanoseconds.
type Bar struct {
	Name  string  `json:"name"`
	Value float64 `json:"value"`
}

// Panel shows how quantities grow with something. Both axes are logarithmic.
type Panel struct {
	Title string `json:"title"`
	// X is what it grows with, such as methods.
	X string `json:"x"`
	// Unit is that of the quantities: ns or B.
	Unit  string `json:"unit"`
	Lines []Line `json:"lines"`
}

// Line is one subject's quantities: Y[i] is measured at X[i], which grows.
type Line struct {
	Name string    `json:"name"`
	X    []float64 `json:"x"`
	Y    []float64 `json:"y"`
}

// Add appends a point.
func (l *Line) Add(x, y float64) {
	l.X = append(l.X, x)
	l.Y = append(l.Y, y)
}

// Last is the quantity at the largest x, 0 if there is none.
func (l *Line) Last() float64 {
	if len(l.Y) == 0 {
		return 0
	}
	return l.Y[len(l.Y)-1]
}
