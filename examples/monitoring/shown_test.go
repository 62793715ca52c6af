package main

import (
	"fmt"
	"net/url"
	"slices"
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
	values, err := p.values(expr)
	if err == nil && !slices.ContainsFunc(values, func(v string) bool { return v != "NaN" }) {
		err = fmt.Errorf("%s shows nothing: %v", expr, values)
	}
	return err
}

// values returns the values of all series of a query.
func (p *prometheus) values(expr string) (values []string, err error) {
	var data struct {
		Result []struct{ Value [2]any }
	}
	err = p.get("/api/v1/query?query="+url.QueryEscape(expr), &data)
	for _, series := range data.Result {
		values = append(values, fmt.Sprint(series.Value[1]))
	}
	return values, err
}
