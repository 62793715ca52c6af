package inventory

import (
	"context"
	"errors"
	"log/slog"
	"strconv"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/protoadapt"
	"google.golang.org/protobuf/types/known/durationpb"
)

type protoDetail = protoadapt.MessageV1

// retryDelay is the RetryInfo for clients while the database cannot be reached.
const retryDelay = time.Second

// Errors of the change stream, ready for the wire.
var (
	errHistory = status.Error(codes.OutOfRange,
		"the history does not hold what follows after_revision: list again and watch from there")
	errGoingAway = status.Error(codes.Unavailable,
		"the server is going away: watch again with after_revision set to the last revision seen")
	errTooManyWatches = status.Error(codes.ResourceExhausted, "too many watches on this server")
)

// wireError converts the error of a store to a status for the caller: a code, a fixed text and details for machines,
// never the driver's text. An ended context takes precedence, since it is the cause of other errors.
func (s *Service) wireError(ctx context.Context, err error) error {
	conflict, conflicts := errors.AsType[*ConflictError](err)
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return status.FromContextError(ctx.Err()).Err()
	case errors.Is(err, ErrNotFound):
		return status.Error(codes.NotFound, "no such item")
	case errors.Is(err, ErrExists):
		return status.Error(codes.AlreadyExists, "the item already exists")
	case conflicts:
		return withDetails(codes.Aborted, "the item is at another revision: read it again", &errdetails.ErrorInfo{
			Reason:   "REVISION_CONFLICT",
			Domain:   "inventory.v1",
			Metadata: map[string]string{"revision": strconv.FormatInt(conflict.Revision, 10)},
		})
	case errors.Is(err, ErrUnavailable), errors.Is(err, context.DeadlineExceeded):
		s.log.LogAttrs(ctx, slog.LevelDebug, "database unavailable", slog.Any("error", err))
		return withDetails(codes.Unavailable, "the inventory's database cannot be reached", &errdetails.RetryInfo{
			RetryDelay: durationpb.New(retryDelay),
		})
	default:
		s.log.LogAttrs(ctx, slog.LevelError, "store failed", slog.Any("error", err))
		return status.Error(codes.Internal, "internal error")
	}
}
