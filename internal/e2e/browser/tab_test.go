package browser_test

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"github.com/vitals-go/vitals/internal/e2e/testdeps"
)

// tab is a tab of the browser. Whatever goes wrong in it while the test runs fails the test: an exception, a word on the
// console, a breach of the page's security policy, a request that the page has no business to make.
type tab struct {
	t   *testing.T
	ctx context.Context

	mu       sync.Mutex
	hosts    []string // of the page, and of those that it frames
	allowed  []string
	pardoned string
	faults   []string
}

// newTab opens an empty tab, as wide as a desk's screen.
func newTab(t *testing.T) *tab {
	t.Helper()
	c, err := browser()
	if errors.Is(err, errMissing) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := chromedp.NewContext(c.ctx)
	tab := &tab{t: t, ctx: ctx}
	t.Cleanup(func() {
		cancel()
		for _, fault := range tab.faults {
			if tab.pardoned != "" && strings.Contains(fault, tab.pardoned) {
				continue
			}
			t.Errorf("in the browser: %s", fault)
		}
	})
	if err := chromedp.Listen(ctx, tab.hear); err != nil {
		t.Fatal(err)
	}
	tell(tab, network.Enable, network.EnableParams{})
	tell(tab, log.Enable, cdp.Empty{})
	// What the policy forbids is told to the page only; it is made to say so aloud.
	tell(tab, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: `
		addEventListener("securitypolicyviolation", (e) =>
			console.error("policy", e.violatedDirective, "forbids", e.blockedURI, e.sample, "line", e.lineNumber));`})
	// As if the tab were in front, which one of several is not.
	tell(tab, emulation.SetFocusEmulationEnabled, emulation.SetFocusEmulationEnabledParams{Enabled: true})
	return tab
}

// hear notes what must not be. The browser waits while it runs.
func (tab *tab) hear(event any) {
	tab.mu.Lock()
	defer tab.mu.Unlock()
	switch e := event.(type) {
	case *runtime.EventExceptionThrown:
		tab.faults = append(tab.faults, (&chromedp.ExceptionError{ExceptionDetails: e.ExceptionDetails}).Error())
	case *runtime.EventConsoleAPICalled:
		words := make([]string, len(e.Args))
		for i, arg := range e.Args {
			words[i] = string(arg.Value)
		}
		tab.faults = append(tab.faults, fmt.Sprintf("console.%s: %s", e.Type, strings.Join(words, " ")))
	case *log.EventEntryAdded:
		// That the server answers 503, or has gone, is no fault of the page.
		if e.Entry.Source != log.EntrySourceNetwork {
			tab.faults = append(tab.faults, fmt.Sprintf("%s %s: %s", e.Entry.Source, e.Entry.Level, e.Entry.Text))
		}
	case *network.EventRequestWillBeSent:
		if !tab.expects(e) {
			tab.faults = append(tab.faults, fmt.Sprintf("a request of type %s to %s", e.Type, e.Request.URL))
		}
	}
}

// expects reports whether a request is one that may be: the page itself and its events. Its icon is part of it.
func (tab *tab) expects(e *network.EventRequestWillBeSent) bool {
	target, err := url.Parse(e.Request.URL)
	if err != nil {
		return false
	}
	switch e.Type {
	case network.ResourceTypeDocument:
		return slices.Contains(tab.hosts, target.Host)
	case network.ResourceTypeEventSource:
		return slices.Contains(tab.hosts, target.Host) && strings.HasSuffix(target.Path, "/health")
	default:
		return slices.Contains(tab.hosts, target.Host) && target.Query().Has("file") || target.Scheme == "data" || slices.Contains(tab.allowed, e.Request.URL)
	}
}

// allow lets the tab ask for more than the status page does.
func (tab *tab) allow(addresses ...string) {
	tab.mu.Lock()
	defer tab.mu.Unlock()
	tab.allowed = addresses
}

// frames lets the page frame those of another host.
func (tab *tab) frames(host string) {
	tab.mu.Lock()
	defer tab.mu.Unlock()
	tab.hosts = append(tab.hosts, host)
}

// pardon lets faults be that contain a text.
func (tab *tab) pardon(text string) {
	tab.mu.Lock()
	defer tab.mu.Unlock()
	tab.pardoned = text
}

// open goes to an address and returns the status with which the server answered.
func (tab *tab) open(address string) int {
	tab.t.Helper()
	target, err := url.Parse(address)
	if err != nil {
		tab.t.Fatal(err)
	}
	tab.mu.Lock()
	tab.hosts = append(tab.hosts, target.Host)
	tab.mu.Unlock()
	return int(run(tab, chromedp.NavigateResponse(address)).Status)
}

// live opens the status page of the server at addr and waits until the server keeps it up to date.
func (tab *tab) live(addr string) {
	tab.t.Helper()
	tab.open("http://" + addr + "/health")
	tab.until(`document.getElementById("link").classList.contains("live")`)
}

// until waits until an expression holds in the page.
func (tab *tab) until(expression string) {
	tab.t.Helper()
	testdeps.Eventually(tab.t, patience, func() error {
		holds, err := try(tab, chromedp.Evaluate[bool]("!!("+expression+")"))
		if err == nil && !holds {
			err = fmt.Errorf("%s does not hold; the page says:\n%s", expression, eval[string](tab, "document.body.innerText.slice(0, 2000)"))
		}
		return err
	})
}

// wide makes the window as wide as that of a desk or a phone, and as high as is needed.
func (tab *tab) wide(width, height int64) {
	tab.t.Helper()
	tell(tab, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{
		Width: width, Height: height, DeviceScaleFactor: 1, Mobile: width < 500,
	})
}

// scheme makes the reader one who prefers "dark" or "light".
func (tab *tab) scheme(name string) {
	tab.t.Helper()
	tell(tab, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: name}},
	})
}

// shot leaves a picture of the page where the flag -shots says.
func (tab *tab) shot(name string) {
	tab.t.Helper()
	if *shots == "" {
		return
	}
	picture := run(tab, chromedp.CaptureScreenshot())
	if err := os.WriteFile(filepath.Join(*shots, name+".png"), picture, 0o644); err != nil {
		tab.t.Fatal(err)
	}
}

// eval returns the value of an expression in the page.
func eval[T any](tab *tab, expression string) T {
	tab.t.Helper()
	return run(tab, chromedp.Evaluate[T](expression))
}

// tell sends one command to the tab.
func tell[P, R any](tab *tab, command cdp.Command[P, R], params P) R {
	tab.t.Helper()
	return run(tab, func(ctx context.Context, target *chromedp.Target) (R, error) {
		return cdp.Call(ctx, target, command, params)
	})
}

// run does something in the tab, which must not take for ever.
func run[T any](tab *tab, action chromedp.Action[T]) T {
	tab.t.Helper()
	value, err := try(tab, action)
	if err != nil {
		tab.t.Fatal(err)
	}
	return value
}

func try[T any](tab *tab, action chromedp.Action[T]) (T, error) {
	ctx, cancel := context.WithTimeout(tab.ctx, patience)
	defer cancel()
	return chromedp.Run(ctx, action)
}
