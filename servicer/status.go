package servicer

import (
	"log/slog"
	"time"

	healthpb "google.golang.org/grpc/health/grpc_health_v1"
)

// SetServingStatus gives the application's own word about a service, as grpc-go's health.Server does, and makes the name
// known. A service that is judged as well serves only if both agree; one that is not follows this word alone.
// After Shutdown and while draining the word is ignored. Setting what is already set costs nothing.
func (h *healthServer) SetServingStatus(service string, status healthpb.HealthCheckResponse_ServingStatus) {
	if !h.board.Set(service, status) {
		h.logger.Log(slog.LevelInfo, "serving status ignored: the health service is shut down",
			slog.String("service", service), slog.String("status", status.String()))
		return
	}
	h.announce()
}

// Shutdown turns every known name NOT_SERVING and ignores SetServingStatus until Resume, as grpc-go's health.Server
// does. Only liveness stays as it is judged: a process that refuses work need not be killed for it.
// Use Drain to end a server: Shutdown neither tells those who watch unknown names nor ends a watch.
func (h *healthServer) Shutdown() {
	h.board.Shut()
	h.announce()
}

// Resume ends Shutdown and turns every name SERVING that SetServingStatus has set to anything else, as grpc-go's
// health.Server does; names that are judged follow their judge again. It does not bring back a draining server.
func (h *healthServer) Resume() {
	h.board.Open()
	h.announce()
}

// publish replaces the judge's opinion about all names; a name that is left out loses it. Until the first call nobody
// but the application is heard, so whoever has something to judge publishes before anybody can ask.
func (h *healthServer) publish(states map[string]healthpb.HealthCheckResponse_ServingStatus) {
	h.board.Publish(states)
}

// word returns what SetServingStatus last said about name, if anything.
func (h *healthServer) word(name string) (healthpb.HealthCheckResponse_ServingStatus, bool) {
	return h.board.Word(name)
}

// announce leaves a token for whoever follows the application's word through spoken.
func (h *healthServer) announce() {
	select {
	case h.spoken <- struct{}{}:
	default:
	}
}

// drain turns every name but liveness NOT_SERVING for good, and tells all watches, those of unknown names too. It
// returns when it was first called.
func (h *healthServer) drain() (began time.Time) {
	now := time.Now()
	h.draining.CompareAndSwap(nil, &now)
	h.board.Drain()
	return *h.draining.Load()
}

// endWatches ends all watches with UNAVAILABLE once they have sent their last status, and refuses new ones.
func (h *healthServer) endWatches() { h.board.End() }

// watchStreams returns the number of open watches.
func (h *healthServer) watchStreams() int { return h.limit.open() }
