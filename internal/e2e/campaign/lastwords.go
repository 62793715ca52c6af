package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

func (c *campaign) terminationLog() string { return filepath.Join(c.scratch, "termination-log") }

// lastWords compares the termination log with the truth: it says why liveness does not serve, and is empty while it does.
func (c *campaign) lastWords() error {
	body, err := os.ReadFile(c.terminationLog())
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	failing := c.truth.expected().Names["liveness"] != "SERVING"
	if said := strings.HasPrefix(string(body), "liveness is not serving: "); said != failing || !failing && len(body) > 0 || len(body) > 4096 {
		return fmt.Errorf("liveness fails: %v, and the termination log says %q", failing, body)
	}
	return nil
}

// awaitLastWords waits for them, since the file is written after the endpoints have changed.
func (c *campaign) awaitLastWords(ctx context.Context) error {
	for deadline := time.Now().Add(c.allowance); ; {
		err := c.lastWords()
		if err == nil || time.Now().After(deadline) {
			return err
		}
		if err := pause(ctx, 20*time.Millisecond); err != nil {
			return err
		}
	}
}
