package servicertest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"
)

// healthFile has the fields of every health file.
type healthFile struct {
	Status    string    `json:"status"`
	Healthy   *bool     `json:"healthy"`
	Live      *bool     `json:"live"`
	Ready     *bool     `json:"ready"`
	Uptime    *float64  `json:"uptime"`
	Timestamp time.Time `json:"timestamp"`
	ExpiresAt time.Time `json:"expires_at"`
}

// clockTolerance is how far in the future a timestamp may be.
const clockTolerance = 2 * time.Second

// readFile reads and validates a health file.
func readFile(path string, now time.Time) (*healthFile, error) {
	info, err := os.Lstat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() || info.Mode().Perm()&0o444 != 0o444 {
		return nil, fmt.Errorf("mode %v, want a regular file that all users can read", info.Mode())
	}
	body, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	f := new(healthFile)
	if err := json.Unmarshal(body, f); err != nil {
		return nil, err
	}
	switch {
	case f.Status == "" || f.Healthy == nil || f.Live == nil || f.Ready == nil || f.Uptime == nil:
		return nil, fmt.Errorf("missing field, want status, healthy, live, ready and uptime: %s", body)
	case !f.ExpiresAt.After(f.Timestamp):
		return nil, errors.New("expires before its timestamp")
	case f.Timestamp.After(now.Add(clockTolerance)):
		return nil, fmt.Errorf("timestamp in the future: %v", f.Timestamp)
	case !f.ExpiresAt.After(now):
		return nil, fmt.Errorf("expired at %v", f.ExpiresAt)
	}
	return f, nil
}

func (t *tester) fileAgrees(_ context.Context, want state) error {
	f, err := readFile(t.target.File, time.Now())
	if err != nil {
		return err
	}
	if *f.Ready != want.ready || *f.Live != want.live {
		return fmt.Errorf("file has ready %v and live %v, want %v and %v", *f.Ready, *f.Live, want.ready, want.live)
	}
	return nil
}
