package faults

import (
	"context"
	"fmt"
	"os"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/vitals-go/vitals/internal/e2e/rig"
)

const patience = 30 * time.Second // The machine may be slow; what is tested is not the time.

// scratch is where the binary lies. TestMain makes and removes it.
var scratch string

// binary builds the example server, once for all tests.
var binary = sync.OnceValues(func() (string, error) {
	return rig.BuildServer(context.Background(), scratch)
})

// toxiproxy's reset leaves the goroutine behind that feeds it.
var toxic = goleak.IgnoreTopFunction("github.com/Shopify/toxiproxy/v2/toxics.(*NoopToxic).Pipe")

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	folder, err := os.MkdirTemp("", "faults-server-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(folder)
	scratch = folder
	if code := m.Run(); code != 0 {
		return code
	}
	if err := goleak.Find(toxic); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}
