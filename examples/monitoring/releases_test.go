package main

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/vitals-go/vitals/internal/e2e/testdeps"
)

// release is an installed program of Prometheus.
type release struct {
	path, version string
	// three says that it is of today's generation, which is configured in another way than the one before.
	three bool
}

var (
	saysVersion = regexp.MustCompile(`version (\d[^ ]*)`)
	inFolder    = regexp.MustCompile(`-(\d[^/]*)$`)
)

// releases returns the installed versions of a program, prometheus or promtool.
func releases(t *testing.T, program string) (list []release) {
	t.Helper()
	known := map[string]bool{}
	for _, path := range testdeps.Installed(program) {
		said, err := exec.Command(path, "--version").CombinedOutput()
		if err != nil {
			t.Fatalf("%s --version: %v\n%s", path, err, said)
		}
		found := saysVersion.FindSubmatch(said)
		if found == nil { // what go install builds does not know its version
			found = inFolder.FindSubmatch([]byte(filepath.Dir(path)))
		}
		if found == nil {
			t.Fatalf("%s has no version: %s", path, said)
		}
		if version := string(found[1]); !known[version] {
			known[version] = true
			list = append(list, release{path: path, version: version, three: strings.HasPrefix(version, "3.")})
		}
	}
	return list
}

// each runs a test with every installed version of a program, and skips those that it should know and are missing.
func each(t *testing.T, program string, test func(*testing.T, release)) {
	t.Helper()
	seen := map[bool]bool{}
	for _, r := range releases(t, program) {
		seen[r.three] = true
		t.Run(r.version, func(t *testing.T) { test(t, r) })
	}
	for three, where := range map[bool]string{false: "apt-get install prometheus", true: "see .ci/install"} {
		if !seen[three] {
			t.Run(map[bool]string{false: "2", true: "3"}[three], func(t *testing.T) { t.Skipf("%s of this generation is not installed: %s", program, where) })
		}
	}
}

// flagsFor returns what Prometheus needs to be told at its start, and globally in its configuration.
func (r release) flagsFor(w wish) (flags []string, global string) {
	var features []string
	if w.exemplars {
		features = append(features, "exemplar-storage")
	}
	if w.created {
		features = append(features, "created-timestamp-zero-ingestion")
	}
	switch {
	case w.native && r.three:
		global = fmt.Sprintf(", scrape_native_histograms: true, always_scrape_classic_histograms: %t", w.classicToo)
	case w.native:
		features = append(features, "native-histograms")
	}
	if len(features) > 0 {
		flags = append(flags, "--enable-feature="+strings.Join(features, ","))
	}
	return flags, global
}

// wish is what a test wants of Prometheus beside the usual.
type wish struct {
	// native histograms, and with them classicToo, which only today's generation can.
	native, classicToo bool
	// exemplars are kept.
	exemplars bool
	// created timestamps are stored as a 0.
	created bool
	// leisurely scrapes every three seconds rather than twice in one, where no rule is to tell anything soon: pages that
	// a slow machine cannot make in time are begun again and again, and never finished.
	leisurely bool
}
