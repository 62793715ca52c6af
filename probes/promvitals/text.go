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
	format  format
	pace    pace
	samples int
	// families are the lines of each family, by its place; empty without a sample.
	families [][]byte
	// last are the labels that each family was last given. Repeated tells that some came twice in a row, which the
	// formats forbid: of two breakers of one name, say.
	last     []*labels
	repeated bool
}

// reset forgets a collection, but keeps its memory for the next.
func (t *toText) reset(f format) {
	t.format, t.pace, t.repeated = f, pace{}, false
	for i := range t.families {
		t.families[i] = t.families[i][:0]
	}
	clear(t.last)
}

func (t *toText) began(time.Time) {} // the text formats say so in series of their own, which nobody wants: _created

func (t *toText) level(f *family, l *labels, value float64) {
	b := f.appendSeries(t.lines(f, l), "", l.text)
	t.families[f.place] = append(t.format.appendFloat(b, value), '\n')
}

func (t *toText) count(f *family, l *labels, value uint64, exemplar *dto.Exemplar) {
	b := f.appendSeries(t.lines(f, l), "", l.text)
	b = t.format.appendCount(b, value)
	t.families[f.place] = append(t.format.appendExemplar(b, exemplar), '\n')
}

func (t *toText) spread(f *family, l *labels, s *spread) {
	b := t.appendBuckets(t.lines(f, l), f, l, s)
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

// lines returns those of a family, which begin with its head. Every sample passes, and so has its chance to rest.
func (t *toText) lines(f *family, l *labels) []byte {
	if t.samples++; t.samples%stepSamples == 0 {
		t.pace.step()
	}
	for len(t.families) <= f.place {
		t.families, t.last = append(t.families, nil), append(t.last, nil)
	}
	t.repeated = t.repeated || t.last[f.place] == l
	t.last[f.place] = l
	b := t.families[f.place]
	if len(b) == 0 {
		b = append(b, f.head[t.format]...)
	}
	return b
}

// stepSamples is after how many samples the clock is looked at, which costs as much as one of them.
const stepSamples = 16

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
