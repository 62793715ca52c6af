package promvitals

import (
	"net/http"
	"slices"
	"sync"
)

// page answers scrapes. In the text formats it writes its own collectors' metrics itself, and behind them what
// client_golang writes of all others; what toText does not know comes from client_golang alone.
type page struct {
	own           []*Collector
	families      map[string]*family // those of own, by name
	taken         map[string]bool    // every name in them
	others, whole http.Handler
	texts         sync.Pool // of *toText: each has the size of a page
}

func newPage() *page {
	return &page{families: map[string]*family{}, taken: map[string]bool{}, texts: sync.Pool{New: func() any { return new(toText) }}}
}

func (p *page) add(c *Collector) {
	p.own = append(p.own, c)
	for _, f := range c.families() {
		p.families[f.name] = f
		for _, suffix := range f.suffixes() {
			p.taken[f.name+suffix] = true
		}
	}
}

// ServeHTTP implements http.Handler.
func (p *page) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	format, known := negotiate(r.Header)
	if !known {
		p.whole.ServeHTTP(w, r)
		return
	}
	text := p.texts.Get().(*toText)
	defer p.texts.Put(text)
	text.reset(format)
	if !p.collect(text) {
		p.whole.ServeHTTP(w, r) // a registry keeps what it can, and counts what fails again
		return
	}
	p.keep(text, r.URL.Query()["name[]"])
	answer := &ahead{ResponseWriter: w, text: text}
	p.others.ServeHTTP(answer, r)
	_ = answer.begin() // if of the others nothing was wanted; who has gone gets nothing
}

// collect reports whether all is well: no collector panicked, or had a series twice.
func (p *page) collect(text *toText) (ok bool) {
	defer func() { ok = recover() == nil && !text.repeated }()
	for _, c := range p.own {
		c.collect(text)
	}
	return true
}

// keep drops all families but those named, as promhttp does; no name stands for all.
func (p *page) keep(text *toText, names []string) {
	if len(names) == 0 {
		return
	}
	for name, f := range p.families {
		if !slices.Contains(names, name) {
			text.drop(f)
		}
	}
}

// ahead writes a text before the first byte of a page, but not before an error's.
type ahead struct {
	http.ResponseWriter

	text  *toText
	begun bool
	err   error // of the text
}

// WriteHeader implements http.ResponseWriter.
func (a *ahead) WriteHeader(code int) {
	a.begun = a.begun || code != http.StatusOK
	a.ResponseWriter.WriteHeader(code)
}

// Write implements http.ResponseWriter.
func (a *ahead) Write(p []byte) (int, error) {
	if err := a.begin(); err != nil {
		return 0, err
	}
	return a.ResponseWriter.Write(p)
}

func (a *ahead) begin() error {
	if !a.begun {
		a.begun = true
		a.err = a.text.writeTo(a.ResponseWriter)
	}
	return a.err
}
