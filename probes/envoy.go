package probes

import "net/http"

// setEnvoyHeader sets the header that Envoy's active health checker heeds, in the answers that it may be sent to.
func (h *Handler) setEnvoyHeader(w http.ResponseWriter, path string) {
	if !h.envoy {
		return
	}
	switch path {
	case "/health", "/ready", "/readyz":
		if header := h.rendered().report.EnvoyHeader(); header != "" {
			w.Header().Set(header, "true")
		}
	}
}
