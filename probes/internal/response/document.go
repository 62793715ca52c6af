// Package response holds what the HTTP endpoints, the status page and the health file share: the results of the probes,
// viewers, and documents that are rendered once per report.
package response

import (
	"encoding/json"
	"maps"
	"net/http"
	"strconv"
	"time"
)

// Text is the media type of plain-text responses.
const Text = "text/plain; charset=utf-8"

// Document is a rendered response body with its headers. It is immutable; all responses share the header values, so Send
// does not allocate.
type Document struct {
	body   []byte
	header http.Header
}

// New returns a Document with a body that must not change afterwards.
func New(contentType string, body []byte) *Document {
	return &Document{body: body, header: http.Header{
		"Content-Type":           {contentType},
		"Content-Length":         {strconv.Itoa(len(body))},
		"Cache-Control":          {"no-store"},
		"X-Content-Type-Options": {"nosniff"},
	}}
}

// NewPage returns an HTML Document with a Content-Security-Policy.
func NewPage(policy string, body []byte) *Document {
	d := New("text/html; charset=utf-8", body)
	d.header["Content-Security-Policy"] = []string{policy}
	d.header["Referrer-Policy"] = []string{"no-referrer"}
	return d
}

// Send writes the document as the whole response, without its body if the request is a HEAD.
func (d *Document) Send(w http.ResponseWriter, r *http.Request, status int) {
	maps.Copy(w.Header(), d.header)
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		_, _ = w.Write(d.body) // fails only when the client is gone
	}
}

// SendStatus responds with the text of a status code.
func SendStatus(w http.ResponseWriter, r *http.Request, status int) {
	New(Text, []byte(http.StatusText(status)+"\n")).Send(w, r, status)
}

// Status returns 200 or 503.
func Status(ok bool) int {
	if ok {
		return http.StatusOK
	}
	return http.StatusServiceUnavailable
}

// JSON encodes a value that holds only text, finite numbers, statuses and reasons, which cannot fail.
func JSON(value any) []byte {
	body, err := json.Marshal(value)
	if err != nil {
		return []byte("{}")
	}
	return append(body, '\n')
}

// Time formats t as RFC 3339 in UTC, "" if t is zero.
func Time(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339Nano)
}
