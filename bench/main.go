package main

import (
	"flag"
	"fmt"
	"os"
	"strings"

	"github.com/zeromicro/go-zero/core/logx"
)

// settings are the flags.
type settings struct {
	short, check bool
	only         []string
	from         string

	json, out, charts, fleet string
}

func main() {
	var s settings
	flag.BoolVar(&s.short, "short", false, "three minutes, wider margins, without the largest sizes")
	flag.BoolVar(&s.check, "check", false, "check that no goal is missed by more than its margin; what CI runs")
	only := flag.String("only", "", "comma separated goals (A/A,P1,P6,growth,fleet) or experiments (growth-checks); all if empty")
	flag.StringVar(&s.from, "from", "", "kept results; without -only nothing is measured, else the rest comes from this `file`")
	flag.StringVar(&s.json, "json", "", "`file` to keep the results in")
	flag.StringVar(&s.out, "out", "", "`file` for the table")
	flag.StringVar(&s.charts, "charts", "", "`folder` for the charts")
	flag.StringVar(&s.fleet, "fleet", "", "`file` for the page about many instances")
	flag.Parse()
	logx.DisableStat() // go-zero logs a line each minute otherwise.
	if *only != "" {
		s.only = strings.Split(*only, ",")
	}
	if err := run(s); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}
