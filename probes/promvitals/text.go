package promvitals

import (
	"io"
	"strings"
	"time"

	dto "github.com/prometheus/client_model/go"
)

// toText writes a collection in one of the text formats, byte for byte what expfmt makes of a gathered one, in a tenth
// of the time: labels and bounds were made text once, and nothing lies between a sample and its line.
type toText struct {
	format format
	pace   pace
	// families are the lines of each family, by its place; empty without a sample.
	families [][]byte
}

// reset forgets a collection, but keeps its memory for the next.
func (t *toText) reset(f format) {
	t.format, t.pace = f, pace{}
	for i := range t.families {
		t.families[i] = t.families[i][:0]
	}
}

func (t *toText) began(time.Time) {} // the text formats say so in series of their own, which nobody wants: _created

func (t *toText) level(f *family, l *labels, value float64) {
	b := f.appendSeries(t.lines(f), "", l.text)
	t.families[f.place] = append(t.format.appendFloat(b, value), '\n')
}

func (t *toText) count(f *family, l *labels, value uint64, exemplar *dto.Exemplar) {
	b := f.appendSeries(t.lines(f), "", l.text)
	b = t.format.appendCount(b, value)
	t.families[f.place] = append(t.format.appendExemplar(b, exemplar), '\n')
}

// spread comes once for each method and each check, and so does the chance to rest.
func (t *toText) spread(f *family, l *labels, s *spread) {
	t.pace.step()
	b := t.appendBuckets(t.lines(f), f, l, s)
	b = f.appendSeries(b, "_sum", l.text)
	b = append(t.format.appendFloat(b, s.sum), '\n')
	b = f.appendSeries(b, "_count", l.text)
	t.families[f.place] = append(t.format.appendWhole(b, s.count), '\n')
}

func (t *toText) appendBuckets(b []byte, f *family, l *labels, s *spread) []byte {
	var newest []*dto.Exemplar
	if len(s.examples) > 0 {
		newest = newestByBound(s.examples, f.bounds)
	}
	open := strings.TrimSuffix(l.text, "} ")
	for i, bound := range f.le[t.format] {
		n := s.count // +Inf
		if i < len(s.cumulative) {
			n = s.cumulative[i]
		}
		b = append(f.appendSeries(b, "_bucket", open), bound...)
		b = t.format.appendWhole(b, n)
		if newest != nil {
			b = t.format.appendExemplar(b, newest[i])
		}
		b = append(b, '\n')
	}
	return b
}

func (f *family) appendSeries(b []byte, suffix, labels string) []byte {
	b = append(b, f.name...)
	b = append(b, suffix...)
	return append(b, labels...)
}

// lines returns those of a family, which begin with its head.
func (t *toText) lines(f *family) []byte {
	for len(t.families) <= f.place {
		t.families = append(t.families, nil)
	}
	b := t.families[f.place]
	if len(b) == 0 {
		b = append(b, f.head[t.format]...)
	}
	return b
}

// drop forgets a family.
func (t *toText) drop(f *family) {
	if f.place < len(t.families) {
		t.families[f.place] = t.families[f.place][:0]
	}
}

func (t *toText) writeTo(w io.Writer) error {
	for _, lines := range t.families {
		if len(lines) == 0 {
			continue
		}
		if _, err := w.Write(lines); err != nil {
			return err
		}
	}
	return nil
}
