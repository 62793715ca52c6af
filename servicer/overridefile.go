package servicer

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/vitals-go/vitals/checker"
	"github.com/vitals-go/vitals/internal/safefile"
)

const (
	overrideInterval = time.Second // between two looks at the file
	maxOverrideFile  = 64 << 10    // bytes
)

// overrideFile is the state of Config.OverrideFile. New and then Run use it, but for reading, by which others find out that
// the file system blocks.
type overrideFile struct {
	path    string // empty for none
	reading atomic.Bool

	content  []byte // in force; nil for none
	parsed   *override
	doubt    string // what the last look found: no override, or a mistake; empty if neither
	reported string // the mistake that is
}

// followOverride puts the content of the file into force whenever it changes, until ctx is done.
func (s *Server) followOverride(ctx context.Context) {
	ticker := time.NewTicker(overrideInterval)
	defer ticker.Stop()
	for ctx.Err() == nil {
		s.readOverride()
		select {
		case <-ticker.C:
		case <-ctx.Done():
		}
	}
}

// readOverride looks at the file once. What is valid comes into force at once. That there is none, or a mistake, takes two
// looks: a program that writes the file in place empties it first.
func (s *Server) readOverride() {
	f := &s.override
	if f.path == "" {
		return
	}
	f.reading.Store(true)
	content, err := f.read()
	f.reading.Store(false)
	same := err == nil && bytes.Equal(content, f.content)
	if same && f.reported == "" {
		f.doubt = ""
		return
	}
	o := f.parsed
	if !same && err == nil {
		o, err = s.parseOverride(content)
	}
	doubt := ""
	switch {
	case err != nil:
		doubt = err.Error()
	case o == nil:
		doubt = "none"
	}
	if doubt != "" && doubt != f.doubt {
		f.doubt = doubt
		return
	}
	if f.doubt = doubt; err == nil {
		f.content, f.parsed, f.reported = content, o, ""
		s.setOverride(o, nil)
	} else if f.reported != doubt {
		f.reported = doubt
		s.setOverride(nil, err)
	}
}

// parseOverride parses and validates what the file holds.
func (s *Server) parseOverride(content []byte) (*override, error) {
	o, err := parseOverride(content, time.Now())
	if err == nil && o != nil {
		err = o.validate(s.measured(), s.Report())
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", s.override.path, err)
	}
	return o, nil
}

// measured returns the checks as the checker has them.
func (s *Server) measured() []*checker.Result {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.in.measured
}

// read returns the content of the file, nil if there is none.
func (f *overrideFile) read() ([]byte, error) {
	content, _, err := safefile.Read(f.path, maxOverrideFile)
	if errors.Is(err, fs.ErrNotExist) {
		_, err = os.Stat(filepath.Dir(f.path)) // a wrong path is a mistake
		return nil, err
	}
	return content, err
}

// parseOverride returns nil if content names nothing. An unknown, misspelt or repeated field is an error: it would be lost.
func parseOverride(content []byte, now time.Time) (*override, error) {
	content = bytes.TrimSpace(bytes.TrimPrefix(content, []byte("\uFEFF")))
	if len(content) == 0 {
		return nil, nil
	}
	o := override{since: now}
	fields := map[string]any{"reason": &o.reason, "until": &o.until, "optional": &o.optional, "maintenance": &o.maintenance}
	d := json.NewDecoder(bytes.NewReader(content))
	if start, err := d.Token(); err != nil || start != json.Delim('{') {
		return nil, errors.New("want a JSON object")
	}
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return nil, err
		}
		to, known := fields[fmt.Sprint(key)]
		switch {
		case !known:
			return nil, fmt.Errorf("unknown field %q; want reason, until, optional and maintenance", key)
		case to == nil:
			return nil, fmt.Errorf("field %q is there twice", key)
		}
		if err := d.Decode(to); err != nil {
			return nil, fmt.Errorf("%v: %w", key, err)
		}
		fields[fmt.Sprint(key)] = nil
	}
	if _, err := d.Token(); err != nil {
		return nil, errors.New("unexpected end of the JSON object")
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("text after the JSON object")
	}
	if len(o.optional)+len(o.maintenance) == 0 {
		return nil, nil
	}
	o.optional, o.maintenance = sortedSet(o.optional), sortedSet(o.maintenance)
	if !o.until.IsZero() {
		o.until = now.Add(o.until.Sub(now)) // with a monotonic reading
	}
	return &o, nil
}
