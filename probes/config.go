package probes

import (
	"net/http"

	"github.com/vitals-go/vitals/probes/internal/response"
)

// configDocument is the JSON of /health/config.json.
type configDocument struct {
	Hash     string            `json:"hash"`
	Settings []settingDocument `json:"settings,omitempty"`
}

type settingDocument struct {
	Name     string `json:"name"`
	Value    string `json:"value"`
	Origin   string `json:"origin"`
	Variable string `json:"variable,omitempty"`
}

// serveConfig serves the settings to viewers that see details, and their hash to all.
func (h *Handler) serveConfig(w http.ResponseWriter, r *http.Request) int {
	report := response.Latest(h.cfg.Source)
	doc := configDocument{Hash: report.ConfigHash}
	if h.viewer(r) == response.Trusted {
		for _, s := range report.Settings {
			doc.Settings = append(doc.Settings, settingDocument(s))
		}
	}
	response.New(typeJSON, response.JSON(doc)).Send(w, r, http.StatusOK)
	return 0
}
