package promvitals

import (
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
)

func TestPagesAreGzippedForThoseWhoAcceptIt(t *testing.T) {
	text := strings.Repeat("grpc_server_started_total 1\n", 10_000)
	handler := compressed(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, text) }))
	var asking sync.WaitGroup
	for range 3 { // writers are used again, by several at once
		for header, zipped := range map[string]bool{
			"": false, "identity": false, "gzip;q=0": false, "gzip;q=0, *": false, "*;q=0": false, "zstd": false,
			"gzip": true, "GZIP": true, "*": true, "zstd, gzip;q=0.5": true, "deflate, gzip": true,
		} {
			asking.Go(func() {
				response := ask(handler, header)
				var body io.Reader = response.Body
				if got := response.Header().Get("Content-Encoding"); (got == "gzip") != zipped || got != "" && !zipped {
					t.Errorf("Accept-Encoding %q: encoded as %q", header, got)
				} else if zipped {
					var err error
					if body, err = gzip.NewReader(body); err != nil {
						t.Errorf("Accept-Encoding %q: %v", header, err)
						return
					}
				}
				if got, err := io.ReadAll(body); err != nil || string(got) != text {
					t.Errorf("Accept-Encoding %q: %d bytes, %v", header, len(got), err)
				}
			})
		}
	}
	asking.Wait()
}

func TestErrorsAreNotGzipped(t *testing.T) {
	failing := compressed(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "cannot gather", http.StatusInternalServerError)
	}))
	response := ask(failing, "gzip")
	if got := response.Body.String(); response.Code != http.StatusInternalServerError || got != "cannot gather\n" {
		t.Errorf("%d %q", response.Code, got)
	}
	if got := response.Header().Get("Content-Encoding"); got != "" {
		t.Errorf("encoded as %q", got)
	}
}

// A page that a panic has cut short must not look whole.
func TestPanicsLeaveNoEnd(t *testing.T) {
	torn := compressed(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, strings.Repeat("half ", 100_000))
		panic(http.ErrAbortHandler)
	}))
	server := httptest.NewServer(torn)
	defer server.Close()
	response, err := server.Client().Get(server.URL) // asks for gzip by itself
	if err != nil {
		return // nothing came at all
	}
	defer response.Body.Close()
	if text, err := io.ReadAll(response.Body); err == nil {
		t.Errorf("%d bytes, taken for whole", len(text))
	}
}

// counting counts the writes that a page leaves in.
type counting struct {
	*httptest.ResponseRecorder

	writes int
}

func (c *counting) Write(p []byte) (int, error) {
	c.writes++
	return c.ResponseRecorder.Write(p)
}

func TestGzippedPageLeavesInOnePiece(t *testing.T) {
	text := strings.Repeat("grpc_server_started_total 1\n", 100_000)
	handler := compressed(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusOK)
		if n, err := io.WriteString(w, text); n != len(text) || err != nil {
			t.Errorf("wrote %d of %d bytes, %v", n, len(text), err)
		}
	}))
	r := httptest.NewRequest(http.MethodGet, "/metrics", nil)
	r.Header.Set("Accept-Encoding", "gzip")
	response := &counting{ResponseRecorder: httptest.NewRecorder()}
	handler.ServeHTTP(response, r)
	length, vary := response.Header().Get("Content-Length"), response.Header().Get("Vary")
	if response.writes != 1 || length != strconv.Itoa(response.Body.Len()) || vary != "Accept-Encoding" {
		t.Errorf("%d writes of %d bytes in all, Content-Length %q, Vary %q", response.writes, response.Body.Len(), length, vary)
	}
}

func ask(handler http.Handler, encodings string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodGet, "/metrics", nil)
	r.Header.Set("Accept-Encoding", encodings)
	response := httptest.NewRecorder()
	handler.ServeHTTP(response, r)
	return response
}
