package result

import (
	"encoding/json"
	"os"
)

// Run is everything that is known, chapter by chapter. Chapters may come from different days and machines.
type Run struct {
	Chapters []*Chapter `json:"chapters"`
}

// Chapter is what belongs together and was measured at once.
type Chapter struct {
	Name string `json:"name"`
	Made Made   `json:"made"`
	// Others is the share of all processors, from 0 to 1, that other programs used meanwhile.
	Others float64 `json:"others,omitempty"`
	// Noise is the largest deviation from 1 of a subject's even rounds against its odd ones.
	Noise   float64            `json:"noise,omitempty"`
	Goals   []Goal             `json:"goals,omitempty"`
	Figures []Figure           `json:"figures,omitempty"`
	Facts   map[string]float64 `json:"facts,omitempty"` // by a name that says the unit, such as scrape_bytes
}

// Put replaces the chapter of that name, or appends it.
func (r *Run) Put(c *Chapter) {
	for i, old := range r.Chapters {
		if old.Name == c.Name {
			r.Chapters[i] = c
			return
		}
	}
	r.Chapters = append(r.Chapters, c)
}

// Goals of all chapters, in their order.
func (r *Run) Goals() (all []Goal) {
	for _, c := range r.Chapters {
		all = append(all, c.Goals...)
	}
	return all
}

// Fact returns a fact of any chapter, and whether there is one.
func (r *Run) Fact(name string) (value float64, found bool) {
	for _, c := range r.Chapters {
		if value, found = c.Facts[name]; found {
			return value, true
		}
	}
	return 0, false
}

// Load reads a Run that Save has written.
func Load(path string) (*Run, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var r Run
	return &r, json.Unmarshal(text, &r)
}

// Save writes r as JSON that people and diffs can read.
func (r *Run) Save(path string) error {
	text, err := json.MarshalIndent(r, "", "\t")
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(text, '\n'), 0o644)
}
