package priceapi_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/vitals-go/vitals/examples/inventory"
	"github.com/vitals-go/vitals/examples/inventory/priceapi"
)

func newClient(t *testing.T, handler http.HandlerFunc) *priceapi.Client {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	client, err := priceapi.New(priceapi.Config{URL: server.URL + "/v1", Timeout: 5 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return client
}

func answer(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

func TestPrice(t *testing.T) {
	const good = `{"currency_code":"EUR","minor_units":1299}`
	for name, tc := range map[string]struct {
		handler http.HandlerFunc
		want    bool
	}{
		"a price":        {answer(200, good), true},
		"no price":       {answer(404, "{}"), false},
		"a failure":      {answer(500, good), false},
		"no JSON":        {answer(200, "<html>"), false},
		"no currency":    {answer(200, `{"minor_units":1}`), false},
		"less than free": {answer(200, `{"currency_code":"EUR","minor_units":-1}`), false},
		"endless":        {answer(200, `{"currency_code":"`+strings.Repeat("E", 1<<20)), false},
		"hangs up on us": {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, false},
		"asked as planned": {func(w http.ResponseWriter, r *http.Request) {
			answer(map[bool]int{true: 200, false: 404}[r.URL.Path == "/v1/prices/bolt-1.5"], good)(w, r)
		}, true},
	} {
		t.Run(name, func(t *testing.T) {
			price, ok := newClient(t, tc.handler).Price(t.Context(), "bolt-1.5")
			if ok != tc.want || ok && price != (inventory.Price{Currency: "EUR", MinorUnits: 1299}) {
				t.Errorf("Price = %+v, %v", price, ok)
			}
		})
	}
}

func TestCheck(t *testing.T) {
	for status, healthy := range map[int]bool{200: true, 404: true, 401: true, 500: false, 503: false} {
		if err := newClient(t, answer(status, "")).Check(t.Context()); (err == nil) != healthy {
			t.Errorf("status %d: Check = %v", status, err)
		}
	}
}

func TestURL(t *testing.T) {
	for _, url := range []string{"", "prices:8080", "ftp://prices", "http://", "http://me:hun ter2@prices/%zz"} {
		_, err := priceapi.New(priceapi.Config{URL: url})
		if err == nil || err.Error() != priceapi.ErrURL.Error() {
			t.Errorf("%q: error %v, want exactly ErrURL, which quotes nothing", url, err)
		}
	}
}
