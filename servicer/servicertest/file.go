package servicertest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"
)

// healthFile is what every health file says, whoever writes it.
type healthFile struct {
	Status    string    `json:"status"`
	Healthy   *bool     `json:"healthy"`
	Live      *bool     `json:"live"`
	Ready     *bool     `json:"ready"`
	Uptime    *float64  `json:"uptime"`
	Timestamp time.Time `json:"timestamp"`
	ExpiresAt time.Time `json:"expires_at"`
}

// clockTolerance is how far in the future a file may lie.
const clockTolerance = 2 * time.Second

// readFile reads a health file as a careful reader does.
func readFile(path string, now time.Time) (*healthFile, error) {
	info, err := os.Lstat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() || info.Mode().Perm()&0o444 != 0o444 {
		return nil, fmt.Errorf("its mode is %v", info.Mode())
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
		return nil, fmt.Errorf("it lacks one of status, healthy, live, ready and uptime: %s", body)
	case !f.ExpiresAt.After(f.Timestamp):
		return nil, errors.New("it expires before it was written")
	case f.Timestamp.After(now.Add(clockTolerance)):
		return nil, fmt.Errorf("it is from the future: %v", f.Timestamp)
	case !f.ExpiresAt.After(now):
		return nil, fmt.Errorf("it expired at %v", f.ExpiresAt)
	}
	return f, nil
}

func (j *tester) fileAgrees(_ context.Context, expected expectation) error {
	f, err := readFile(j.target.File, time.Now())
	if err != nil {
		return err
	}
	if *f.Ready != expected.ready || *f.Live != expected.live {
		return fmt.Errorf("the file says ready %v and live %v, want %v and %v", *f.Ready, *f.Live, expected.ready, expected.live)
	}
	return nil
}
