package probes

import (
	"net/http"
	"strconv"
)

// The media types of the doors.
const (
	typeText   = "text/plain; charset=utf-8"
	typeJSON   = "application/json"
	typeHealth = "application/health+json"
	typeHTML   = "text/html; charset=utf-8"
	typeSVG    = "image/svg+xml"
	typeEvents = "text/event-stream"
)

// document is an answer rendered once and sent to many. It never changes; the header values are shared with every
// response, so that sending it allocates nothing.
type document struct {
	body         []byte
	contentType  []string
	length       []string
	cacheControl []string
	typeOptions  []string
	// policy is the Content-Security-Policy, referrer the Referrer-Policy; nil for what no browser renders.
	policy   []string
	referrer []string
}

func newDocument(contentType string, body []byte) *document {
	return &document{
		body:         body,
		contentType:  []string{contentType},
		length:       []string{strconv.Itoa(len(body))},
		cacheControl: []string{"no-store"},
		typeOptions:  []string{"nosniff"},
	}
}

// send writes the document as the whole answer, without its body if the request is a HEAD.
func (d *document) send(w http.ResponseWriter, r *http.Request, status int) {
	header := w.Header()
	header["Content-Type"] = d.contentType
	header["Content-Length"] = d.length
	header["Cache-Control"] = d.cacheControl
	header["X-Content-Type-Options"] = d.typeOptions
	if d.policy != nil {
		header["Content-Security-Policy"] = d.policy
		header["Referrer-Policy"] = d.referrer
	}
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		// Nobody is left to be told when the peer has gone.
		_, _ = w.Write(d.body)
	}
}

// fail answers with a short text that says nothing but the status.
func fail(w http.ResponseWriter, r *http.Request, status int) {
	newDocument(typeText, []byte(http.StatusText(status)+"\n")).send(w, r, status)
}

// passing returns 200 or 503.
func passing(ok bool) int {
	if ok {
		return http.StatusOK
	}
	return http.StatusServiceUnavailable
}
