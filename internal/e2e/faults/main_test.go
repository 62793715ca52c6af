package faults

import (
	"fmt"
	"os"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/vitals-go/vitals/internal/e2e/testdeps"
)

const patience = 30 * time.Second // The machine may be slow; what is tested is not the time.

// toxiproxy's reset leaves the goroutine behind that feeds it.
var toxic = goleak.IgnoreTopFunction("github.com/Shopify/toxiproxy/v2/toxics.(*NoopToxic).Pipe")

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	testdeps.Parallel(3)
	if code := m.Run(); code != 0 {
		return code
	}
	if err := goleak.Find(toxic); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}
