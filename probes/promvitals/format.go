package promvitals

import (
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
)

// format is one of the text formats: https://prometheus.io/docs/instrumenting/exposition_formats/.
type format int

const (
	plain       format = iota // text 0.0.4
	openMetrics               // OpenMetrics 1.0
	formats
)

// negotiate returns what expfmt would write for a scraper, and false if that is none of the formats here. How a scraper
// wants names to be escaped does not matter: ours need no escapes.
func negotiate(header http.Header) (format, bool) {
	switch expfmt.NegotiateAccept(header, expfmt.DefaultOpenMetricsAcceptedFormats()...).FormatType() {
	case expfmt.TypeTextPlain:
		return plain, true
	case expfmt.TypeOpenMetrics:
		return openMetrics, true
	default:
		return plain, false
	}
}

// appendWhole appends a count of a histogram, which OpenMetrics writes as an integer.
func (f format) appendWhole(b []byte, n uint64) []byte {
	if f == openMetrics {
		return strconv.AppendUint(b, n, 10)
	}
	return f.appendCount(b, n)
}

// wholes are the numbers below which a whole one is written without an exponent.
const wholes = 1e6

// appendCount appends a counter, which is a float in both formats.
func (f format) appendCount(b []byte, n uint64) []byte {
	if n >= wholes {
		return strconv.AppendFloat(b, float64(n), 'g', -1, 64)
	}
	b = strconv.AppendUint(b, n, 10)
	if f == openMetrics {
		b = append(b, ".0"...)
	}
	return b
}

func (f format) appendFloat(b []byte, v float64) []byte {
	switch {
	case v == 0 || v > 0 && v < wholes && v == math.Trunc(v):
		return f.appendCount(b, uint64(v))
	case f == openMetrics && v < 0 && v > -wholes && v == math.Trunc(v):
		return append(strconv.AppendInt(b, int64(v), 10), ".0"...)
	default: // has a point or an exponent, or is no number
		return strconv.AppendFloat(b, v, 'g', -1, 64)
	}
}

// appendExemplar appends an exemplar, which may be nil, where the format knows them.
func (f format) appendExemplar(b []byte, e *dto.Exemplar) []byte {
	if f != openMetrics || e == nil || len(e.Label) == 0 {
		return b
	}
	b = append(b, " # "...)
	b = appendLabels(b, e.Label)
	b = f.appendFloat(b, e.GetValue())
	b = append(b, ' ')
	return f.appendFloat(b, float64(e.GetTimestamp().AsTime().UnixNano())/1e9)
}

// labelText returns labels as they stand between a name and a value, with the space before the latter.
func labelText(pairs []*dto.LabelPair) string { return string(appendLabels(nil, pairs)) }

func appendLabels(b []byte, pairs []*dto.LabelPair) []byte {
	if len(pairs) == 0 {
		return append(b, ' ')
	}
	for i, pair := range pairs {
		b = append(b, "{,"[min(i, 1)])
		b = append(b, pair.GetName()...)
		b = append(b, `="`...)
		b = append(appendEscaped(b, pair.GetValue()), '"')
	}
	return append(b, "} "...)
}

func appendEscaped(b []byte, value string) []byte {
	for i := range len(value) {
		switch c := value[i]; c {
		case '\n':
			b = append(b, `\n`...)
		case '\\', '"':
			b = append(b, '\\', c)
		default:
			b = append(b, c)
		}
	}
	return b
}

// headOf returns a family's first lines.
func (f format) headOf(name, help, kind string) string {
	if f == openMetrics && kind == counter {
		name = strings.TrimSuffix(name, "_total")
	}
	return "# HELP " + name + " " + help + "\n# TYPE " + name + " " + kind + "\n"
}

// boundText returns the last label of each bucket, and of the one that has no bound.
func (f format) boundText(bounds []float64) []string {
	var list []string
	for _, bound := range append(slices.Clip(bounds), math.Inf(1)) {
		list = append(list, `,le="`+string(f.appendFloat(nil, bound))+`"} `)
	}
	return list
}
