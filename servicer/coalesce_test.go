package servicer_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/vitals-go/vitals/servicer"
)

// TestFollowerOfChangesSeesTheLastOfManyManualStatuses sets so many names that notifications are delayed.
func TestFollowerOfChangesSeesTheLastOfManyManualStatuses(t *testing.T) {
	s := newServer(t, servicer.Config{})
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var reports, names int
	var follower sync.WaitGroup
	follower.Go(func() {
		for report := range s.Changes(ctx) {
			reports++
			if names = len(report.Names); names == 4+4000 {
				return
			}
		}
	})
	for n := range 4000 {
		s.SetServingStatus(fmt.Sprint("shop.v1.Orders", n), serving)
	}
	follower.Wait()
	if names != 4+4000 {
		t.Errorf("the newest report has %d names", names)
	}
	if reports > 400 {
		t.Errorf("%d reports for 4000 names", reports)
	}
}
