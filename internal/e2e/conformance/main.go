package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"slices"
	"syscall"
	"time"

	"github.com/vitals-go/vitals/servicer/servicertest"
)

const (
	exitKept     = 0
	exitBroken   = 1
	exitUnjudged = 2
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	o, err := parse(args, stderr)
	if errors.Is(err, flag.ErrHelp) {
		return exitKept
	}
	var verdict *servicertest.Result
	if err == nil {
		verdict, err = o.judge(ctx, stderr)
	}
	if err != nil {
		fmt.Fprintln(stderr, "conformance:", err)
		return exitUnjudged
	}
	tell(stdout, verdict)
	if len(verdict.Violations) > 0 {
		return exitBroken
	}
	return exitKept
}

func (o *options) judge(ctx context.Context, stderr io.Writer) (*servicertest.Result, error) {
	conn, err := o.dial()
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	target := o.target
	target.Conn = conn
	if o.check != "" {
		shell := func(command string) {
			cmd := exec.CommandContext(ctx, "sh", "-c", command)
			cmd.Stderr = stderr
			if err := cmd.Run(); err != nil {
				fmt.Fprintf(stderr, "conformance: %s: %v\n", command, err)
			}
		}
		target.Fail = map[string]func() (recover func()){o.check: func() (recover func()) {
			shell(o.fail)
			return func() { shell(o.heal) }
		}}
	}
	if o.pid != 0 {
		process, err := os.FindProcess(o.pid)
		if err != nil {
			return nil, err
		}
		target.Drain = func() { end(ctx, process, stderr) }
	}
	return servicertest.Check(ctx, target)
}

// end asks a process to end and waits until it has, or nobody waits any more.
func end(ctx context.Context, process *os.Process, stderr io.Writer) {
	if err := process.Signal(syscall.SIGTERM); err != nil {
		fmt.Fprintln(stderr, "conformance: -pid:", err)
		return
	}
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for process.Signal(syscall.Signal(0)) == nil {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// tell prints every rule once, the broken ones with what was found.
func tell(w io.Writer, verdict *servicertest.Result) {
	kept, failed := 0, verdict.Failed()
	for _, rule := range servicertest.Rules() {
		if !slices.Contains(failed, rule.ID) && !slices.Contains(verdict.Skipped, rule) {
			fmt.Fprintf(w, "kept      %-15s %s\n", rule.ID, rule.Text)
			kept++
		}
	}
	for _, rule := range verdict.Skipped {
		why := ""
		if needs := rule.Needs(); needs != "" {
			why = " (needs " + needs + ")"
		}
		fmt.Fprintf(w, "untested  %-15s %s%s\n", rule.ID, rule.Text, why)
	}
	last := ""
	for _, f := range verdict.Violations {
		if f.ID != last {
			fmt.Fprintf(w, "BROKEN    %-15s %s\n          %-15s source: %s\n", f.ID, f.Text, "", f.Source)
			last = f.ID
		}
		fmt.Fprintf(w, "          %-15s %s\n", "", f.Details)
	}
	fmt.Fprintf(w, "%d kept, %d broken, %d untested\n", kept, len(failed), len(verdict.Skipped))
}
