package docs_test

import (
	"io/fs"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	inlineLink = regexp.MustCompile(`\[(?:[^\][]|\[[^\]]*\])*\]\(<?([^)>\s]+)>?(?:\s+"[^"]*")?\)`)
	codeSpan   = regexp.MustCompile("`[^`]*`")
)

// TestLinksLeadSomewhere follows every link within the repository, to the heading.
func TestLinksLeadSomewhere(t *testing.T) {
	byPath := map[string]*page{}
	for _, p := range readPages(t) {
		byPath[p.path] = p
	}
	links := 0
	for _, p := range byPath {
		for _, l := range p.prose {
			// Code may look like a link, and a link may have code for its text: only what is outside of links is blanked.
			for _, found := range inlineLink.FindAllStringSubmatch(l.text, -1) {
				links++
				if problem := follow(byPath, p, found[1]); problem != "" {
					t.Errorf("%s:%d: the link %s %s", p.path, l.number, found[1], problem)
				}
			}
		}
	}
	if links < 30 {
		t.Errorf("only %d links found: the test does not see them", links)
	}
}

func follow(byPath map[string]*page, from *page, target string) (problem string) {
	u, err := url.Parse(target)
	switch {
	case err != nil:
		return err.Error()
	case u.Scheme == "https" && u.Host != "", u.Scheme == "http" && u.Hostname() == "localhost":
		return ""
	case u.Scheme != "" || u.Host != "":
		return "is neither https nor within the repository"
	}
	at := from.path
	if u.Path != "" {
		at = path.Join(path.Dir(from.path), u.Path)
		if _, err := os.Stat(filepath.Join(root, at)); err != nil {
			return "leads nowhere"
		}
	}
	if u.Fragment == "" {
		return ""
	}
	to, isPage := byPath[at]
	if !isPage {
		return "has an anchor, but what it leads to is no page"
	}
	if !to.anchors()[u.Fragment] {
		return "names a heading that is not there"
	}
	return ""
}

// TestGuidesCanBeFound wants a way from the README to every page in docs.
func TestGuidesCanBeFound(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(root, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	err = filepath.WalkDir(filepath.Join(root, "docs"), func(file string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(file) != ".md" {
			return err
		}
		if name := "docs/" + filepath.Base(file); !strings.Contains(string(text), "("+name) {
			t.Errorf("README.md has no link to %s", name)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestNamedFilesExist looks at what stands between backquotes: a path of the repository must be one.
func TestNamedFilesExist(t *testing.T) {
	entries, err := os.ReadDir(root)
	if err != nil {
		t.Fatal(err)
	}
	ours := map[string]bool{}
	for _, e := range entries {
		ours[e.Name()] = e.IsDir()
	}
	name := regexp.MustCompile(`^(?:\./)?([a-z.][a-z0-9_.-]*)/([A-Za-z0-9_./-]+)$`)
	for _, p := range readPages(t) {
		for _, l := range p.prose {
			for _, span := range codeSpan.FindAllString(l.text, -1) {
				found := name.FindStringSubmatch(strings.Trim(span, "`"))
				if found == nil || !ours[found[1]] || strings.Contains(found[2], "...") {
					continue
				}
				there := false
				for _, base := range []string{".", path.Dir(p.path)} {
					_, err := os.Stat(filepath.Join(root, base, found[1], found[2]))
					there = there || err == nil
				}
				if !there {
					t.Errorf("%s:%d: there is no %s", p.path, l.number, span)
				}
			}
		}
	}
}
