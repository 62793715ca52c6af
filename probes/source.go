package probes

import (
	"context"
	"iter"

	"github.com/vitals-go/vitals/servicer"
)

// Source is whose verdict the doors repeat: a *servicer.Server.
type Source interface {
	// Report returns the newest edition. It does not block and returns the same pointer until there is a newer one.
	Report() *servicer.Report
	// Reports yields the newest edition at once and then each newer one, until ctx ends.
	Reports(ctx context.Context) iter.Seq[*servicer.Report]
}
