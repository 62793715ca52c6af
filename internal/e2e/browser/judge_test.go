package browser_test

import (
	_ "embed"
	"strings"
)

// The judges run in the page and list what is wrong with it.
var (
	//go:embed testdata/contrast.js
	contrast string
	//go:embed testdata/structure.js
	structure string
	//go:embed testdata/overflow.js
	overflow string
	//go:embed testdata/focus.js
	focus string
)

// unfold opens everything that a reader can open.
const unfold = `document.querySelectorAll("details").forEach((d) => { d.open = true; })`

// judge lets a judge loose on the page as it is, and fails the test for all that it finds.
func (tab *tab) judge(judge, where string) {
	tab.t.Helper()
	function := judge[strings.Index(judge, "() =>"):]
	for _, fault := range eval[[]string](tab, "("+function+")()") {
		tab.t.Errorf("%s: %s", where, fault)
	}
}
