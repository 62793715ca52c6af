package probes

import "net/http"

type page struct{ title string }

func newPage(title string) *page { return &page{title: title} }

type lazyPage struct{ lazy }

type history struct{}

func newHistory() *history { return &history{} }

func (h *Handler) pageOf(e *edition, a audience) *document { return e.json(a) }

func (h *Handler) serveEvents(w http.ResponseWriter, r *http.Request, a audience) {}
