package browser_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/vitals-go/vitals/internal/e2e/testdeps"
	"github.com/vitals-go/vitals/internal/logtest"
)

const patience = time.Minute // The test machine may be slow; what is tested is not the time.

var shots = flag.String("shots", "", "folder in which to leave pictures of the page")

// folder is for everything that outlives a test. TestMain makes and removes it.
var folder string

// chromium is the one browser of all tests; each opens a tab of its own.
type chromium struct {
	ctx  context.Context
	stop func()
}

// running is the browser once it has started.
var running *chromium

var errMissing = errors.New("no Chromium is installed: no chromium, chromium-browser or google-chrome in the PATH; .ci/install installs it")

// browser starts it with the first test that wants it. A machine that was too busy for the first try gets a second one.
var browser = sync.OnceValues(func() (*chromium, error) {
	var err error
	if running, err = launch(); err == nil || errors.Is(err, errMissing) {
		return running, err
	}
	var again error
	if running, again = launch(); again != nil {
		return nil, fmt.Errorf("Chromium did not start, twice:\n%w\n%w", err, again)
	}
	return running, nil
})

func TestMain(m *testing.M) {
	flag.Parse()
	os.Exit(all(m))
}

func all(m *testing.M) int {
	var err error
	if folder, err = os.MkdirTemp("", "vitals-browser-"); err != nil {
		panic(err)
	}
	defer os.RemoveAll(folder)
	defer func() {
		if running != nil {
			running.stop()
		}
	}()
	return m.Run()
}

// launch starts Chromium with an empty profile, and waits until it obeys.
func launch() (*chromium, error) {
	path := installed()
	if path == "" {
		return nil, errMissing
	}
	profile, err := os.MkdirTemp(folder, "profile-")
	if err != nil {
		return nil, err
	}
	output := new(logtest.Log)
	allocator, end := chromedp.NewExecAllocator(context.Background(), options(path, profile, output)...)
	ctx, cancel := chromedp.NewContext(allocator)
	// The browser lives as long as the context of its first command, which can therefore have no deadline of its own.
	late := time.AfterFunc(patience, cancel)
	_, err = chromedp.Run(ctx, chromedp.Title())
	if !late.Stop() {
		err = fmt.Errorf("it does not obey after %v and has printed:\n%s", patience, output)
	}
	if err != nil {
		end()
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return &chromium{ctx, end}, nil
}

func installed() string {
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if paths := testdeps.Installed(name); len(paths) > 0 {
			return paths[0]
		}
	}
	return ""
}

// options make Chromium see the pages of this machine and nothing else, and run them as if each tab were in front.
func options(path, profile string, output *logtest.Log) []chromedp.ExecAllocatorOption {
	options := []chromedp.ExecAllocatorOption{
		chromedp.ExecPath(path), chromedp.UserDataDir(profile), chromedp.CombinedOutput(output),
		chromedp.Env("HOME=" + profile), chromedp.WindowSize(1280, 900),
		chromedp.Flag("headless", "new"),
		chromedp.Flag("host-resolver-rules", "MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"),
		chromedp.Flag("force-color-profile", "srgb"),
		chromedp.Flag("password-store", "basic"),
	}
	for _, name := range []string{
		// Root, and containers, have no sandbox to offer. The pages are our own.
		"no-sandbox",
		"disable-gpu", "disable-quic", "disable-dev-shm-usage", "disable-extensions", "hide-scrollbars",
		"no-first-run", "no-default-browser-check", "disable-default-apps", "disable-sync", "disable-breakpad",
		"disable-background-networking", "disable-component-update", "metrics-recording-only",
		"disable-background-timer-throttling", "disable-backgrounding-occluded-windows", "disable-renderer-backgrounding",
	} {
		options = append(options, chromedp.Flag(name, true))
	}
	return options
}
