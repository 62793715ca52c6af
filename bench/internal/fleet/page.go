package fleet

import (
	_ "embed"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"text/template"

	"github.com/vitals-go/vitals/bench/internal/result"
)

//go:embed page.md.tmpl
var text string

// Page writes the page from the facts of a run. The error names what was never measured.
func Page(r *result.Run) (string, error) {
	var missing []error
	var made result.Made
	var figures []result.Figure
	fact := func(name string) float64 {
		value, found := r.Fact(name)
		if !found {
			missing = append(missing, fmt.Errorf("fleet: nothing has measured %s", name))
		}
		return value
	}
	has := func(name string) bool {
		_, found := r.Fact(name)
		return found
	}
	for _, c := range r.Chapters {
		figures = append(figures, c.Figures...)
		if c.Name == "fleet" {
			made = c.Made
		}
	}
	page, err := template.New("fleet").Funcs(functions(fact)).Funcs(template.FuncMap{"has": has}).Parse(text)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	err = page.Execute(&b, map[string]any{"Made": made, "Service": Service(), "Few": FewBuckets(), "Figures": figures})
	return b.String(), errors.Join(append(missing, err)...)
}

// functions are the page's arithmetic. Numbers are float64; what is shown goes through n, bytes, time or percent.
func functions(fact func(string) float64) template.FuncMap {
	fold := func(by func(a, b float64) float64) func(...any) (float64, error) {
		return func(all ...any) (float64, error) {
			var total float64
			for i, a := range all {
				v, err := number(a)
				if err != nil {
					return 0, err
				}
				if i == 0 {
					total = v
				} else {
					total = by(total, v)
				}
			}
			return total, nil
		}
	}
	return template.FuncMap{
		"fact":    fact,
		"mul":     fold(func(a, b float64) float64 { return a * b }),
		"div":     fold(func(a, b float64) float64 { return a / b }),
		"add":     fold(func(a, b float64) float64 { return a + b }),
		"sub":     fold(func(a, b float64) float64 { return a - b }),
		"ceil":    math.Ceil,
		"n":       Number,
		"bytes":   result.Bytes,
		"time":    result.Nanoseconds,
		"three":   three,
		"percent": func(share float64) string { return three(100*share) + " %" },
	}
}

func number(v any) (float64, error) {
	switch v := v.(type) {
	case float64:
		return v, nil
	case int:
		return float64(v), nil
	default:
		return 0, fmt.Errorf("fleet: %v is no number", v)
	}
}

// Number writes a number for people: three digits, thousands apart, millions by name.
func Number(v float64) string {
	switch {
	case v >= 999_500_000:
		return three(v/1e9) + " billion"
	case v >= 999_500:
		return three(v/1e6) + " million"
	case v >= 1000:
		digits := strconv.FormatFloat(round(v), 'f', 0, 64)
		return digits[:len(digits)-3] + "," + digits[len(digits)-3:]
	default:
		return three(v)
	}
}

// three writes three digits, without an exponent and without zeros at the end.
func three(v float64) string {
	return strconv.FormatFloat(round(v), 'f', -1, 64)
}

// round keeps three digits.
func round(v float64) float64 {
	rounded, err := strconv.ParseFloat(strconv.FormatFloat(v, 'g', 3, 64), 64)
	if err != nil {
		return v
	}
	return rounded
}

// FactsUsed are the names of the facts that the page is made of, sorted.
func FactsUsed() []string {
	var names []string
	rest := text
	for {
		_, after, found := strings.Cut(rest, `fact "`)
		if !found {
			slices.Sort(names)
			return slices.Compact(names)
		}
		name, behind, _ := strings.Cut(after, `"`)
		names, rest = append(names, name), behind
	}
}
