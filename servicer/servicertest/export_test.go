package servicertest

import "net/http"

// WithTransport returns t with a fake network for HTTP.
func (t Target) WithTransport(rt http.RoundTripper) Target {
	t.client = &http.Client{Transport: rt}
	return t
}
