package main

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// clockVariable names the file that says how far a server's wall clock is ahead, in seconds.
const clockVariable = "CAMPAIGN_CLOCK"

// pushedSource is added to package time of the server that is tried.
//
//go:embed pushed.go.txt
var pushedSource []byte

// The server's wall clock can be set while it runs, as an administrator or NTP would set it: the wall clock jumps, the
// monotonic one goes on.
//
// A Go program asks the kernel without a C library, so libfaketime cannot stand between; a time namespace moves the
// monotonic clocks only, and before the program starts; and setting the machine's clock would be everybody's problem.
// What is left is the one line where every wall clock reading of a Go program comes from: the build lays a copy of
// time.Now over the standard library's that adds the number of seconds in a shared page of memory. Nothing else of the
// server differs.
//
// overlayClock adds the two files to an overlay; their sources lie in folder.
func overlayClock(ctx context.Context, folder string, overlay map[string]string) error {
	output, err := exec.CommandContext(ctx, "go", "env", "GOROOT").Output()
	if err != nil {
		return err
	}
	standard := filepath.Join(string(bytes.TrimSpace(output)), "src", "time")
	source, err := os.ReadFile(filepath.Join(standard, "time.go"))
	if err != nil {
		return err
	}
	const reading = "\tsec, nsec, mono := runtimeNow()\n"
	if bytes.Count(source, []byte(reading)) != 1 {
		return errors.New("this Go's time.Now does not read the clock as expected: run with -clock=false")
	}
	source = bytes.Replace(source, []byte(reading), []byte(reading+"\tsec += pushed()\n"), 1)
	overlay[filepath.Join(standard, "time.go")] = filepath.Join(folder, "time.go")
	overlay[filepath.Join(standard, "campaign_pushed.go")] = filepath.Join(folder, "pushed.go")
	return errors.Join(
		os.WriteFile(filepath.Join(folder, "time.go"), source, 0o600),
		os.WriteFile(filepath.Join(folder, "pushed.go"), pushedSource, 0o600))
}

// clock is the wall clock of a server.
type clock struct{ path string }

// newClock makes a clock that is right.
func newClock(folder string) (*clock, error) {
	c := &clock{filepath.Join(folder, "clock")}
	return c, os.WriteFile(c.path, make([]byte, 8), 0o600)
}

// push sets the clock this far ahead of ours, or behind it. The file keeps its page, which the server has mapped.
func (c *clock) push(by time.Duration) error {
	file, err := os.OpenFile(c.path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	defer file.Close()
	seconds := binary.NativeEndian.AppendUint64(nil, uint64(int64(by/time.Second)))
	_, err = file.WriteAt(seconds, 0)
	return err
}

// misdated writes a copy of a health file to path, as somebody sees it whose clock is ahead of the writer's.
func misdated(file, path string, ahead time.Duration) error {
	body, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	var document map[string]any
	if err := json.Unmarshal(body, &document); err != nil {
		return err
	}
	for _, field := range []string{"timestamp", "expires_at"} {
		text, _ := document[field].(string)
		at, err := time.Parse(time.RFC3339Nano, text)
		if err != nil {
			return fmt.Errorf("%s: %w", field, err)
		}
		document[field] = at.Add(-ahead).Format(time.RFC3339Nano)
	}
	if body, err = json.Marshal(document); err != nil {
		return err
	}
	return os.WriteFile(path, body, 0o600)
}
