package faults

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
)

const patience = 30 * time.Second // The machine may be slow; what is tested is not the time.

// scratch is where the binary lies. TestMain makes and removes it.
var scratch string

// binary builds the example server, once for all tests.
var binary = sync.OnceValues(func() (string, error) {
	path := filepath.Join(scratch, "server")
	output, err := exec.Command("go", "build", "-o", path, "github.com/vitals-go/vitals/examples/server").CombinedOutput()
	if err != nil {
		err = fmt.Errorf("go build: %w\n%s", err, output)
	}
	return path, err
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
