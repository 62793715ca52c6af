package probes_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/vitals-go/vitals/probes"
	"github.com/vitals-go/vitals/servicer"
)

func ExampleNewFile() {
	health, err := servicer.New(servicer.Config{})
	if err != nil {
		fmt.Println(err)
		return
	}
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "health")
	file, err := probes.NewFile(probes.FileConfig{Source: health, Path: path})
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error)
	go func() { ended <- file.Run(ctx) }()
	status, err := probes.ReadFile(path)
	for err != nil { // until the first write
		time.Sleep(time.Millisecond)
		status, err = probes.ReadFile(path)
	}
	fmt.Println(status.Status, "live:", status.Live, "ready:", status.Ready)
	stop()
	fmt.Println(<-ended)
	// Output:
	// healthy live: true ready: true
	// <nil>
}

// A watchdog believes a health file only if it is whole and fresh.
func ExampleReadFile() {
	_, err := probes.ReadFile("/nowhere/health")
	fmt.Println(errors.Is(err, probes.ErrInvalidFile))
	// Output: true
}
