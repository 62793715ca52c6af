package statuspage

import (
	"fmt"

	"github.com/vitals-go/vitals/checker"
	"github.com/vitals-go/vitals/servicer"
)

// badgeSVG draws the overall status, or the phase if it is not ready. Its texts need no escaping.
func badgeSVG(report *servicer.Report) []byte {
	word, color := report.Overall.String(), "#6b7280"
	switch report.Overall {
	case checker.Healthy:
		color = "#15803d"
	case checker.Warning:
		color = "#b45309"
	case checker.Critical:
		color = "#b91c1c"
	}
	if report.Phase != servicer.Ready {
		word, color = report.Phase.String(), "#4b5563"
	}
	const label, gap = 52, 12
	width := 7*len(word) + 2*gap/2 + 4
	return fmt.Appendf(nil, `<svg xmlns="http://www.w3.org/2000/svg" width="%[1]d" height="20" role="img" aria-label="health: %[4]s">`+
		`<title>health: %[4]s</title><clipPath id="r"><rect width="%[1]d" height="20" rx="4"/></clipPath>`+
		`<g clip-path="url(#r)"><rect width="%[2]d" height="20" fill="#374151"/><rect x="%[2]d" width="%[3]d" height="20" fill="%[5]s"/></g>`+
		`<g fill="#fff" text-anchor="middle" font-family="Verdana,DejaVu Sans,sans-serif" font-size="11">`+
		`<text x="%[6]d" y="14">health</text><text x="%[7]d" y="14">%[4]s</text></g></svg>`,
		label+width, label, width, word, color, label/2, label+width/2)
}
