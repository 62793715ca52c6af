package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"time"
)

// told is what the server says: at first where it listens, then how often its checks ran and how long it worked.
type told struct {
	Calls, Page, Copy string
	Runs              int64
	CPU               time.Duration
}

// server is the server's process, as its parent sees it.
type server struct {
	told

	process *exec.Cmd
	in      io.WriteCloser
	answers *json.Decoder
}

// start starts a process of this program with -serve.
func (p plan) start(ctx context.Context) (*server, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	s := &server{process: exec.CommandContext(ctx, program, "-serve",
		fmt.Sprint("-methods=", p.methods), fmt.Sprint("-checks=", p.checks), fmt.Sprint("-registry=", p.registry))}
	s.process.Stderr = os.Stderr
	if s.in, err = s.process.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := s.process.StdoutPipe()
	if err != nil {
		return nil, err
	}
	s.answers = json.NewDecoder(out)
	if err := s.process.Start(); err != nil {
		return nil, err
	}
	if err := s.answers.Decode(&s.told); err != nil {
		return nil, errors.Join(fmt.Errorf("the server did not start: %w", err), s.process.Wait())
	}
	return s, nil
}

// ask returns what the server says now.
func (s *server) ask() (now told, err error) {
	if _, err := fmt.Fprintln(s.in); err != nil {
		return now, err
	}
	return now, s.answers.Decode(&now)
}

// end returns what the server says at last.
func (s *server) end() (last told, err error) {
	last, err = s.ask()
	return last, errors.Join(err, s.in.Close(), s.process.Wait())
}
