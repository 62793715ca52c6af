package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/vitals-go/vitals/internal/e2e/endpoints"
	"github.com/vitals-go/vitals/servicer/vitalspb"
)

func (c *campaign) overrideFile() string { return filepath.Join(c.scratch, "override.json") }

// override writes, replaces, breaks or removes the override file, and waits until the report says so.
func (c *campaign) override(ctx context.Context, s step) error {
	const file = `{"reason": "the campaign", "until": "2100-01-01T00:00:00Z", %q: [%q]}`
	// The name of the check that is put in maintenance may be hidden, or the server may not have it: a mistake then.
	known := !c.truth.hidden && slices.Contains(c.truth.present, prices)
	content := ""
	switch s.draw % 4 {
	case 0:
		content, c.truth.override, c.truth.mistake, c.overridden = fmt.Sprintf(file, "optional", database), "optional", false, true
	case 1:
		content = fmt.Sprintf(file, "maintenance", prices)
		if c.truth.mistake = !known; known {
			c.truth.override = "maintenance"
		}
	case 2:
		content, c.truth.mistake = fmt.Sprintf(file, "optinal", database), true
	case 3:
		c.truth.override, c.truth.mistake = "", false
	}
	if err := c.writeOverride(content, s.draw%8 < 4); err != nil {
		return err
	}
	for deadline := time.Now().Add(3*time.Second + c.allowance); ; {
		err := c.overrideReported(ctx)
		if err == nil || time.Now().After(deadline) {
			return err
		}
		if err := pause(ctx, 20*time.Millisecond); err != nil {
			return err
		}
	}
}

// writeOverride replaces the file, atomically or in place, or removes it if there is no content.
func (c *campaign) writeOverride(content string, atomic bool) error {
	path := c.overrideFile()
	switch {
	case content == "":
		if err := os.Remove(path); !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		return nil
	case atomic:
		return errors.Join(os.WriteFile(path+".new", []byte(content), 0o600), os.Rename(path+".new", path))
	default:
		return os.WriteFile(path, []byte(content), 0o600)
	}
}

// overrideReported compares the metric of the override with the truth.
func (c *campaign) overrideReported(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, endpoints.Timeout)
	defer cancel()
	report, err := c.endpoints.Reports.GetHealthReport(ctx, &vitalspb.HealthReportRequest{})
	if err != nil {
		return err
	}
	value, reason := "", ""
	switch {
	case c.truth.override != "":
		value, reason = "in_force", "manual"
	case c.truth.mistake:
		value = "error"
	}
	if c.truth.mistake {
		reason = "error"
	}
	if m := report.GetMetrics()["override"]; m.GetValue() != value || m.GetReason() != reason {
		return fmt.Errorf("the report has the override %q for %q, want %q for %q", m.GetValue(), m.GetReason(), value, reason)
	}
	return nil
}
