package statuspage_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/vitals-go/vitals/probes/statuspage"
	"github.com/vitals-go/vitals/servicer"
)

func ExampleNew() {
	health, err := servicer.New(servicer.Config{})
	if err != nil {
		fmt.Println(err)
		return
	}
	page, err := statuspage.New(statuspage.Config{Source: health, Title: "shop"})
	if err != nil {
		fmt.Println(err)
		return
	}
	mux := http.NewServeMux()
	mux.Handle("/status", page)
	mux.HandleFunc("/status.svg", page.ServeBadge)

	w := httptest.NewRecorder()
	mux.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/status", nil))
	fmt.Println(w.Code, w.Header().Get("Content-Type"))
	// Output: 200 text/html; charset=utf-8
}
