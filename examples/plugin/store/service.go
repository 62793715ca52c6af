package main

import (
	"context"
	"log/slog"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	kvv1 "github.com/vitals-go/vitals/examples/plugin/kv/v1"
)

// service is plugin.kv.v1.Store over a journal.
type service struct {
	kvv1.UnimplementedStoreServer

	journal *journal
	origin  *origin // nil if there is none
	chaos   chaos   // nil unless enabled
	log     *slog.Logger
}

func (s *service) Put(ctx context.Context, request *kvv1.PutRequest) (*kvv1.PutResponse, error) {
	if request.GetKey() == "" {
		return nil, status.Error(codes.InvalidArgument, "the key is empty")
	}
	if s.chaos.strike(ctx, request.GetKey()) {
		return &kvv1.PutResponse{}, nil
	}
	if err := s.journal.set(ctx, request.GetKey(), new(request.GetValue())); err != nil {
		return nil, s.unavailable(ctx, err)
	}
	return &kvv1.PutResponse{}, nil
}

func (s *service) Get(ctx context.Context, request *kvv1.GetRequest) (*kvv1.GetResponse, error) {
	value, found, err := s.journal.get(ctx, request.GetKey())
	if err == nil && !found && s.origin != nil {
		value, found, err = s.origin.get(ctx, request.GetKey())
	}
	switch {
	case err != nil:
		return nil, s.unavailable(ctx, err)
	case !found:
		return nil, status.Error(codes.NotFound, "no such key")
	}
	return &kvv1.GetResponse{Value: value}, nil
}

func (s *service) Delete(ctx context.Context, request *kvv1.DeleteRequest) (*kvv1.DeleteResponse, error) {
	if err := s.journal.set(ctx, request.GetKey(), nil); err != nil {
		return nil, s.unavailable(ctx, err)
	}
	return &kvv1.DeleteResponse{}, nil
}

// unavailable keeps the cause in the log: it may name files and addresses.
func (s *service) unavailable(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return status.FromContextError(ctx.Err()).Err()
	}
	s.log.LogAttrs(ctx, slog.LevelWarn, "request failed", slog.Any("error", err))
	return status.Error(codes.Unavailable, "the store is not available")
}
