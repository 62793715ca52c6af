package chart

import (
	"fmt"
	"html"
	"strings"
	"unicode/utf8"

	"github.com/vitals-go/vitals/bench/internal/result"
)

const (
	width  = 880.0
	margin = 20.0
)

// style is all of the looks. A chart stands on a ground of its own, because a page may be light on a dark system.
const style = `
text{font:13px system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif;fill:#1f2328}
.ground{fill:#fff}.title{font-size:17px;font-weight:600}.head{font-weight:600}.soft{fill:#59636e}.small{font-size:11px}
.grid{stroke:#d8dee4;stroke-width:1}.axis{stroke:#818b98;stroke-width:1}
.line{fill:none;stroke-width:2}.dash{stroke-dasharray:7 4}.dots{stroke-dasharray:2 4}.both{stroke-dasharray:9 3 2 3}
.c0{stroke:#0969da;fill:#0969da}.c1{stroke:#bc4c00;fill:#bc4c00}.c2{stroke:#1a7f37;fill:#1a7f37}.c3{stroke:#8250df;fill:#8250df}
.line.c0,.line.c1,.line.c2,.line.c3{fill:none}.bar,text.c0,text.c1,text.c2,text.c3{stroke:none}.other{fill:#9aa4af}
@media(prefers-color-scheme:dark){
text{fill:#e6edf3}.ground{fill:#0d1117}.soft{fill:#9198a1}.grid{stroke:#2f353d}.axis{stroke:#656c76}
.c0{stroke:#58a6ff;fill:#58a6ff}.c1{stroke:#ff9b50;fill:#ff9b50}.c2{stroke:#4ac26b;fill:#4ac26b}.c3{stroke:#c297ff;fill:#c297ff}.other{fill:#6e7681}
}
`

// svg is a drawing in the making.
type svg struct{ body strings.Builder }

func (s *svg) printf(format string, args ...any) { fmt.Fprintf(&s.body, format, args...) }

// text writes words from x on, or up to it (end), or around it (middle).
func (s *svg) text(x, y float64, class, anchor, words string) {
	if anchor != "" {
		anchor = ` text-anchor="` + anchor + `"`
	}
	s.printf("<text x=%q y=%q class=%q%s>%s</text>\n", num(x), num(y), class, anchor, html.EscapeString(words))
}

func (s *svg) segment(x1, y1, x2, y2 float64, class string) {
	s.printf("<line x1=%q y1=%q x2=%q y2=%q class=%q/>\n", num(x1), num(y1), num(x2), num(y2), class)
}

func (s *svg) rect(x, y, w, h float64, class string) {
	s.printf("<rect x=%q y=%q width=%q height=%q rx=\"2\" class=%q/>\n", num(x), num(y), num(w), num(h), class)
}

// head writes the title and the note, and returns where the rest may begin.
func (s *svg) head(f result.Figure) (y float64) {
	y = margin + 16
	s.text(margin, y, "title", "", f.Title)
	for _, line := range wrap(f.Note, 118) {
		y += 20
		s.text(margin, y, "soft", "", line)
	}
	return y + 12
}

// finish writes where the data come from and returns the whole drawing. What a chart shows is also said in words.
func (s *svg) finish(f result.Figure, made result.Made, y float64) string {
	s.text(margin, y+8, "soft small", "", strings.ReplaceAll(made.String(), "`", ""))
	height := y + 8 + margin
	return fmt.Sprintf(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %s %s" width="%s" height="%s" role="img" aria-labelledby="t d">`+"\n",
		num(width), num(height), num(width), num(height)) +
		"<title id=\"t\">" + html.EscapeString(f.Title) + "</title>\n<desc id=\"d\">" + html.EscapeString(describe(f)) + "</desc>\n" +
		"<style>" + style + "</style>\n" +
		fmt.Sprintf("<rect width=%q height=%q class=\"ground\"/>\n", num(width), num(height)) + s.body.String() + "</svg>\n"
}

// num writes a coordinate as short as a tenth of a pixel allows.
func num(v float64) string {
	return strings.TrimSuffix(fmt.Sprintf("%.1f", v), ".0")
}

// wrap breaks words into lines of at most so many characters.
func wrap(words string, most int) (lines []string) {
	line := ""
	for word := range strings.FieldsSeq(words) {
		if line != "" && utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) > most {
			lines, line = append(lines, line), ""
		}
		line = strings.TrimPrefix(line+" "+word, " ")
	}
	return append(lines, line)
}
