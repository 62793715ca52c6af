package promvitals

import (
	"time"

	dto "github.com/prometheus/client_model/go"

	"github.com/vitals-go/vitals/interceptor"
)

// sink takes a collection, sample by sample: toRegistry for any registry, toText for a page.
type sink interface {
	// began says since when what follows has been counted; the zero time is unknown.
	began(since time.Time)
	level(f *family, l *labels, value float64)
	// count takes an exemplar that may be nil.
	count(f *family, l *labels, value uint64, exemplar *dto.Exemplar)
	// spread takes a histogram, which is the caller's again afterwards.
	spread(f *family, l *labels, s *spread)
}

// spread is a histogram at one moment.
type spread struct {
	cumulative []uint64 // for each of its family's bounds
	count      uint64
	sum        float64 // in seconds
	examples   []example
	native     *interceptor.Histogram // nil if no native histogram is wanted
}

func newSpread(f *family) *spread { return &spread{cumulative: make([]uint64, len(f.bounds))} }
