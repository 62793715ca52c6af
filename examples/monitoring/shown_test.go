package main

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"

	"google.golang.org/grpc/codes"

	"github.com/vitals-go/vitals/internal/e2e/testdeps"
)

// showsDashboards waits until every query of both dashboards has something to show while a check fails and calls are
// made. None of them is empty then.
func (p *prometheus) showsDashboards(busy *server) {
	p.t.Helper()
	for _, m := range dashboards(p.t) {
		for title, list := range m.expressions() {
			for _, expr := range list {
				expr = strings.NewReplacer("$__rate_interval", "1m", "$job", "shop", "$instance", ".+").Replace(expr)
				testdeps.Eventually(p.t, patience, func() error {
					busy.call(p.t, 1, codes.OK) // a quantile wants calls between two scrapes
					if err := p.shows(expr); err != nil {
						return fmt.Errorf("%s: %s: %w", m.UID, title, err)
					}
					return nil
				})
			}
		}
	}
}

// shows returns an error if a query has nothing to show: no series, or no number.
func (p *prometheus) shows(expr string) error {
	var data struct {
		Result []struct{ Value [2]any }
	}
	if err := p.get("/api/v1/query?query="+url.QueryEscape(expr), &data); err != nil {
		return err
	}
	for _, series := range data.Result {
		if series.Value[1] != "NaN" {
			return nil
		}
	}
	text, err := json.Marshal(data.Result)
	if err != nil {
		return err
	}
	return fmt.Errorf("%s shows nothing: %s", expr, text)
}
