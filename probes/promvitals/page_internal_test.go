package promvitals

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
)

func TestErrorHasNoPageBeforeIt(t *testing.T) {
	text := new(toText)
	text.level(watchFamily, watchFamily.with(), 1)
	response := httptest.NewRecorder()
	answer := &ahead{ResponseWriter: response, text: text}
	http.Error(answer, "cannot gather", http.StatusInternalServerError)
	if err := answer.begin(); err != nil || response.Body.String() != "cannot gather\n" {
		t.Errorf("%q, %v", response.Body, err)
	}
}

var errGone = errors.New("gone")

// gone is a scraper who goes after so many writes.
type gone struct {
	http.ResponseWriter

	writes, after int
}

func (g *gone) Write(p []byte) (int, error) {
	if g.writes++; g.writes > g.after {
		return 0, errGone
	}
	return len(p), nil
}

func TestNothingIsWrittenForAScraperWhoHasGone(t *testing.T) {
	text := new(toText)
	for _, f := range []*family{statusFamily, infoFamily, stateFamily} {
		text.level(f, f.with("x"), 1)
	}
	scraper := &gone{after: 1}
	answer := &ahead{ResponseWriter: scraper, text: text}
	for range 2 {
		if _, err := answer.Write([]byte("go_goroutines 1\n")); !errors.Is(err, errGone) {
			t.Errorf("the writer hears %v", err)
		}
	}
	if scraper.writes != 2 {
		t.Errorf("%d writes, want the one that went well and the one that did not", scraper.writes)
	}
}
