package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
)

var errBroken = errors.New("the journal is broken; a restart reads it anew")

// journal is a map that survives the process: every change is a line of a file before it is true.
type journal struct {
	// turn holds one token. A lock that can be waited for with a context, so that a check of a wedged journal ends.
	turn   chan struct{}
	values map[string]string
	file   *os.File // nil keeps everything in memory
	broken error    // set for ever by the first failed write: what lies in the file after it cannot be trusted
}

// record is one line. A nil value deletes the key.
type record struct {
	Key   string  `json:"key"`
	Value *string `json:"value"`
}

// openJournal reads what is in the file, up to the last complete line. An empty path keeps everything in memory.
func openJournal(path string) (*journal, error) {
	j := &journal{turn: make(chan struct{}, 1), values: make(map[string]string)}
	if path == "" {
		return j, nil
	}
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	j.file = file
	if err := j.replay(); err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", path, err), file.Close())
	}
	return j, nil
}

// replay reads the file and cuts off an incomplete last line.
func (j *journal) replay() error {
	lines, end := bufio.NewReader(j.file), int64(0)
	for {
		line, err := lines.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		var r record
		if err := json.NewDecoder(bytes.NewReader(line)).Decode(&r); err != nil {
			return fmt.Errorf("at byte %d: %w", end, err)
		}
		j.apply(r)
		end += int64(len(line))
	}
	if err := j.file.Truncate(end); err != nil {
		return err
	}
	_, err := j.file.Seek(end, io.SeekStart)
	return err
}

func (j *journal) apply(r record) {
	if r.Value == nil {
		delete(j.values, r.Key)
		return
	}
	j.values[r.Key] = *r.Value
}

// do runs f alone, or returns why it could not.
func (j *journal) do(ctx context.Context, f func() error) error {
	select {
	case j.turn <- struct{}{}:
		defer func() { <-j.turn }()
		return f()
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (j *journal) get(ctx context.Context, key string) (value string, found bool, err error) {
	err = j.do(ctx, func() error {
		value, found = j.values[key]
		return nil
	})
	return value, found, err
}

// set changes one key; a nil value deletes it.
func (j *journal) set(ctx context.Context, key string, value *string) error {
	r := record{Key: key, Value: value}
	line, err := json.Marshal(r)
	if err != nil {
		return err
	}
	return j.do(ctx, func() error {
		if j.broken != nil {
			return j.broken
		}
		if j.file != nil {
			if _, err := j.file.Write(append(line, '\n')); err != nil {
				j.broken = errors.Join(errBroken, err)
				return j.broken
			}
		}
		j.apply(r)
		return nil
	})
}

// check is the journal's health: it must be free within reason, and whole.
func (j *journal) check(ctx context.Context) error {
	return j.do(ctx, func() error { return j.broken })
}

// ruin breaks the journal as a full disk would; see chaos.
func (j *journal) ruin(ctx context.Context) error {
	return j.do(ctx, func() error {
		j.broken = errBroken
		return nil
	})
}

// wedge takes the journal's turn and never gives it back, as a deadlock would; see chaos.
func (j *journal) wedge() { j.turn <- struct{}{} }

// close ends the journal once it is free, or leaves it to the system when ctx ends first.
func (j *journal) close(ctx context.Context) error {
	if j.file == nil {
		return nil
	}
	return j.do(ctx, func() error {
		j.broken = os.ErrClosed
		return j.file.Close()
	})
}
