package docs_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"unicode"
)

// root is the top of the repository.
const root = "../../.."

// page is one Markdown file.
type page struct {
	path   string // from the top of the repository, with slashes
	lines  []string
	blocks []block
	prose  []line // everything but the blocks
}

// block is a piece of code in a page.
type block struct {
	page string
	line int // of its first line, from 1
	kind string
	note string // the hidden comment above it
	text string
}

type line struct {
	number int
	text   string
}

// pages reads every page of the repository once.
var pages = sync.OnceValues(func() ([]*page, error) {
	var all []*page
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if path != root && (strings.HasPrefix(d.Name(), ".") || d.Name() == "testdata") {
				return fs.SkipDir
			}
			return nil
		}
		if filepath.Ext(path) != ".md" {
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, path)
		all = append(all, parse(filepath.ToSlash(rel), string(text)))
		return err
	})
	return all, err
})

func readPages(t *testing.T) []*page {
	t.Helper()
	all, err := pages()
	if err != nil {
		t.Fatal(err)
	}
	if len(all) < 5 {
		t.Fatalf("only %d pages: the test looks at the wrong folder", len(all))
	}
	return all
}

// blocksOf returns all blocks of a kind.
func blocksOf(t *testing.T, kinds ...string) []block {
	t.Helper()
	var found []block
	for _, p := range readPages(t) {
		for _, b := range p.blocks {
			if slices.Contains(kinds, b.kind) {
				found = append(found, b)
			}
		}
	}
	return found
}

var (
	fence   = regexp.MustCompile("^( *)(```+|~~~+) *([A-Za-z]*)")
	comment = regexp.MustCompile(`^\s*<!--\s*(.*?)\s*-->\s*$`)
	item    = regexp.MustCompile(`^\s*([-*+]|\d+[.)]) `)
)

// parse splits a page into blocks and prose. Code that is indented instead of fenced is a block too, outside of lists.
func parse(path, text string) *page {
	p := &page{path: path, lines: strings.Split(text, "\n")}
	note, inList := "", false
	for i := 0; i < len(p.lines); i++ {
		this := p.lines[i]
		if open := fence.FindStringSubmatch(this); open != nil {
			b := block{page: path, line: i + 2, kind: open[3], note: note}
			for i++; i < len(p.lines) && !strings.HasPrefix(strings.TrimSpace(p.lines[i]), open[2]); i++ {
				b.text += strings.TrimPrefix(p.lines[i], open[1]) + "\n"
			}
			p.blocks, note = append(p.blocks, b), ""
			continue
		}
		blank := strings.TrimSpace(this) == ""
		if item.MatchString(this) {
			inList = true
		} else if !blank && !strings.HasPrefix(this, " ") {
			inList = false
		}
		if strings.HasPrefix(this, "    ") && !inList && (i == 0 || strings.TrimSpace(p.lines[i-1]) == "") {
			b := block{page: path, line: i + 1, note: note}
			for ; i < len(p.lines) && (strings.HasPrefix(p.lines[i], "    ") || strings.TrimSpace(p.lines[i]) == ""); i++ {
				b.text += strings.TrimPrefix(p.lines[i], "    ") + "\n"
			}
			i--
			b.kind = guess(b.text)
			p.blocks, note = append(p.blocks, b), ""
			continue
		}
		if found := comment.FindStringSubmatch(this); found != nil {
			note = found[1]
		} else if !blank {
			note = ""
		}
		p.prose = append(p.prose, line{i + 1, this})
	}
	return p
}

// guess tells commands from pictures.
func guess(text string) string {
	first := regexp.MustCompile(`^([A-Z_]+=\S* +)*`).ReplaceAllString(strings.TrimSpace(text), "")
	if commands[strings.Split(strings.TrimSpace(first), " ")[0]] {
		return "sh"
	}
	return "text"
}

var heading = regexp.MustCompile(`^#+ +(.*?) *$`)

// anchors returns the names under which a page's headings can be reached, as GitHub makes them.
func (p *page) anchors() map[string]bool {
	names := map[string]bool{}
	for _, l := range p.prose {
		found := heading.FindStringSubmatch(l.text)
		if found == nil {
			continue
		}
		name := strings.Map(func(r rune) rune {
			switch {
			case r == ' ':
				return '-'
			case r == '-' || r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r):
				return unicode.ToLower(r)
			}
			return -1
		}, found[1])
		names[name] = true
	}
	return names
}

// TestBlocksSayWhatTheyAre keeps code from escaping its test by having no kind.
func TestBlocksSayWhatTheyAre(t *testing.T) {
	known := []string{"go", "sh", "console", "yaml", "json", "promql", "text", "proto"}
	for _, p := range readPages(t) {
		for _, b := range p.blocks {
			if !slices.Contains(known, b.kind) {
				t.Errorf("%s:%d: a block of kind %q; want one of %v", p.path, b.line, b.kind, known)
			}
		}
	}
}
