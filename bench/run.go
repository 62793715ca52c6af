package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/vitals-go/vitals/bench/internal/chart"
	"github.com/vitals-go/vitals/bench/internal/fleet"
	"github.com/vitals-go/vitals/bench/internal/measure"
	"github.com/vitals-go/vitals/bench/internal/result"
)

// A goal that is missed by more than this factor fails a full run.
const fullMargin = 1.15

// run does what the command line says: it measures or loads results and writes them.
func run(s settings) error {
	if s.check {
		return checkGoals(os.Stdout)
	}
	kept := &result.Run{}
	if s.from != "" {
		var err error
		if kept, err = result.Load(s.from); err != nil {
			return err
		}
	}
	if s.from != "" && len(s.only) == 0 {
		return write(s, kept)
	}
	measureAll(s, kept, os.Stderr)
	if err := write(s, kept); err != nil {
		return err
	}
	return failures(kept, s.short)
}

// failures returns an error for the goals that are missed by more than their margin, and for the chapters during which the
// machine was too busy.
func failures(r *result.Run, short bool) error {
	var failed []error
	for _, c := range r.Chapters {
		for _, g := range c.Goals {
			if (g.Exact || c.Disturbed() == "") && missed(g, short) {
				failed = append(failed, fmt.Errorf("missed by more than its margin: %s: measured %.3g, goal %s", g.What, g.Measured, g.Promise()))
			}
		}
	}
	if busy := r.Disturbed(); busy != "" {
		failed = append(failed, errors.New(busy))
	}
	return errors.Join(failed...)
}

// missed reports whether a goal is missed by more than noise explains. A short run decides only what -check does.
func missed(g result.Goal, short bool) bool {
	if !short {
		return !g.Within(fullMargin)
	}
	factor, ok := gatedFactors()[g.What]
	return ok && !g.Within(factor)
}

// measureAll measures the selected experiments and puts their chapters into kept.
func measureAll(s settings, kept *result.Run, progress io.Writer) {
	plan := measure.Plan{Rounds: 24, Turn: 100 * time.Millisecond}
	if s.short {
		plan = measure.Plan{Rounds: 5, Turn: 20 * time.Millisecond, Short: true}
	}
	plan.Figure, plan.Progress = measure.Sample.Median, progress
	begun := time.Now()
	for i, e := range experiments {
		if !e.wanted(s.only) {
			continue
		}
		fmt.Fprintf(progress, "%3.0f s  %2d/%d  %s ", time.Since(begun).Seconds(), i+1, len(experiments), e.title)
		plan.Noise = new(measure.Noise)
		load := measure.StartLoad()
		found := e.measure(plan)
		kept.Put(&result.Chapter{
			Name: e.name, Made: result.Here(s.command(), peers...), Others: load.Others(), Noise: plan.Noise.Largest(),
			Goals: found.goals, Figures: found.figures, Facts: found.facts,
		})
		fmt.Fprintln(progress)
	}
	fmt.Fprintf(progress, "%3.0f s  done\n", time.Since(begun).Seconds())
}

// command is what a reader types to measure the same.
func (s settings) command() string {
	words := []string{"go run ./bench"}
	if s.short {
		words = append(words, "-short")
	}
	if len(s.only) > 0 {
		words = append(words, "-only "+strings.Join(s.only, ","))
	}
	return strings.Join(words, " ")
}

// write writes the files that the flags name, or the table to the standard output if they name none.
func write(s settings, kept *result.Run) error {
	if s.json == "" && s.out == "" && s.charts == "" && s.fleet == "" {
		_, err := io.WriteString(os.Stdout, kept.Markdown())
		return err
	}
	var failed []error
	if s.json != "" {
		failed = append(failed, kept.Save(s.json))
	}
	if s.out != "" {
		failed = append(failed, os.WriteFile(s.out, []byte(kept.Markdown()), 0o644))
	}
	if s.charts != "" {
		failed = append(failed, os.MkdirAll(s.charts, 0o755))
		for name, text := range chart.All(kept) {
			failed = append(failed, os.WriteFile(filepath.Join(s.charts, name), []byte(text), 0o644))
		}
	}
	if s.fleet != "" {
		page, err := fleet.Page(kept)
		if err == nil {
			err = os.WriteFile(s.fleet, []byte(page), 0o644)
		}
		failed = append(failed, err)
	}
	return errors.Join(failed...)
}
