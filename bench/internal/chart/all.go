package chart

import "github.com/vitals-go/vitals/bench/internal/result"

// All draws every figure of a run, by the name of its file.
func All(r *result.Run) map[string]string {
	files := map[string]string{}
	for _, c := range r.Chapters {
		for _, f := range c.Figures {
			files[f.Name+".svg"] = Draw(f, c.Made)
		}
	}
	return files
}

// Draw draws one figure, with a line that says where its data come from.
func Draw(f result.Figure, made result.Made) string {
	if len(f.Bars) > 0 {
		return bars(f, made)
	}
	return panels(f, made)
}
