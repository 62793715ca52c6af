package inventory

import (
	"context"
	"errors"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/grpc/status"

	inventoryv1 "github.com/vitals-go/vitals/examples/inventory/v1"
)

// progressEvery is the number of revisions without a match after which a watcher receives its progress, so that it does
// not resume from a revision that has been trimmed meanwhile.
const progressEvery = 1000

type watchStream = grpc.ServerStreamingServer[inventoryv1.WatchResponse]

// Watch implements inventory.v1.Inventory.
func (s *Service) Watch(req *inventoryv1.WatchRequest, stream watchStream) error {
	var wrong violations
	wrong.prefix("sku_prefix", req.GetSkuPrefix())
	if req.GetAfterRevision() < 0 {
		wrong.add("after_revision", "must be at least 0")
	}
	if err := wrong.err(); err != nil {
		return err
	}
	select {
	case s.watches <- struct{}{}:
		defer func() { <-s.watches }()
	default:
		return errTooManyWatches
	}
	ctx, cancel := context.WithCancelCause(stream.Context())
	defer cancel(nil)
	defer context.AfterFunc(s.ending, func() { cancel(errGoingAway) })()

	err := s.follow(ctx, req, stream)
	if errors.Is(context.Cause(ctx), errGoingAway) {
		return errGoingAway
	}
	if _, ready := status.FromError(err); ready {
		return err
	}
	return s.wireError(stream.Context(), err)
}

// follow sends what happens after the first cursor until ctx ends, the client leaves or the history breaks off.
func (s *Service) follow(ctx context.Context, req *inventoryv1.WatchRequest, stream watchStream) error {
	at, err := s.feed.start(ctx, req.AfterRevision)
	if err != nil {
		return err
	}
	told := at.revision
	if err := stream.Send(&inventoryv1.WatchResponse{Revision: told}); err != nil {
		return err
	}
	for {
		changes, err := s.feed.next(ctx, &at)
		if err != nil {
			return err
		}
		matching := matches(changes, req.GetSkuPrefix())
		if len(matching) == 0 && at.revision-told < progressEvery {
			continue
		}
		told = at.revision
		if err := stream.Send(&inventoryv1.WatchResponse{Changes: matching, Revision: told}); err != nil {
			return err
		}
	}
}

func matches(changes []Change, prefix string) []*inventoryv1.Change {
	var matching []*inventoryv1.Change
	for _, change := range changes {
		if strings.HasPrefix(change.Item.SKU, prefix) {
			matching = append(matching, changeToProto(change))
		}
	}
	return matching
}
