package main

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
)

func main() {
	short := flag.Bool("short", false, "a fifth of the time and wider margins")
	only := flag.String("only", "", "comma separated goals, such as P1,P6; all if empty")
	out := flag.String("out", "", "file to write the Markdown table to")
	flag.Parse()

	plan := fullPlan
	if *short {
		plan = shortPlan
	}
	var goals []goal
	for _, chapter := range chapters {
		if *only != "" && !slices.ContainsFunc(chapter.goals, func(id string) bool { return slices.Contains(strings.Split(*only, ","), id) }) {
			continue
		}
		fmt.Fprintf(os.Stderr, "measuring %s …\n", chapter.title)
		goals = append(goals, chapter.measure(plan)...)
	}
	table := markdown(goals, plan)
	fmt.Print(table)
	if *out != "" {
		if err := os.WriteFile(*out, []byte(table), 0o644); err != nil {
			fmt.Fprintln(os.Stderr, "bench:", err)
			os.Exit(1)
		}
	}
	if slices.ContainsFunc(goals, func(g goal) bool { return !g.within(plan.margin) }) {
		fmt.Fprintln(os.Stderr, "bench: a goal is missed by more than its margin")
		os.Exit(1)
	}
}

// chapters are measured in this order.
var chapters = []struct {
	title   string
	goals   []string
	measure func(plan) []goal
}{
	{"the unary recorder", []string{"P1", "P2", "P3"}, measureUnary},
	{"end to end", []string{"P2"}, measureEndToEnd},
	{"streams", []string{"P4"}, measureStream},
	{"growth with methods", []string{"P5"}, measureMethods},
	{"health checks", []string{"P6"}, measureCheck},
	{"watchers", []string{"P7"}, measureWatch},
	{"breakers", []string{"P8"}, measureBreaker},
	{"reports and doors", []string{"P9"}, measureDoors},
	{"Prometheus", []string{"P10"}, measureGather},
}
