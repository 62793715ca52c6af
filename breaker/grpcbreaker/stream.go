package grpcbreaker

import (
	"context"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"

	"github.com/vitals-go/vitals/breaker"
)

// StreamClientInterceptor is a grpc.StreamClientInterceptor.
func (g *Interceptor) StreamClient(
	ctx context.Context, desc *grpc.StreamDesc, cc *grpc.ClientConn, method string, open grpc.Streamer,
	opts ...grpc.CallOption,
) (grpc.ClientStream, error) {
	b := g.breaker(cc, method)
	if b == nil {
		return open(ctx, desc, cc, method, opts...)
	}
	permit, err := b.Allow(ctx)
	if err != nil {
		return nil, err
	}
	permit.Untimed()
	end, opened := abandoned(), false
	defer func() {
		if !opened {
			end.done(b, &permit)
		}
	}()
	// gRPC fills trailer before it reports the end, on the goroutine that reports it.
	var trailer metadata.MD
	finish := func(err error) {
		end := abandoned()
		defer func() { end.done(b, &permit) }()
		end = g.classify(err, trailer)
	}
	stream, err := open(permit.Context(), desc, cc, method, extend(opts, grpc.Trailer(&trailer), grpc.OnFinish(finish))...)
	if err != nil {
		// An interceptor further inside may have failed before gRPC knew of the call.
		end = g.classify(err, nil)
		return nil, err
	}
	opened = true
	if permit.Probe() {
		return &probingStream{ClientStream: stream, permit: &permit}, nil
	}
	return stream, nil
}

// probingStream confirms the half-open probe at the header, if its user waits for that, or at the first message.
type probingStream struct {
	grpc.ClientStream
	permit    *breaker.Permit
	confirmed bool // written by RecvMsg, which gRPC allows one goroutine at a time
}

func (s *probingStream) RecvMsg(m any) error {
	err := s.ClientStream.RecvMsg(m)
	if err == nil && !s.confirmed {
		s.confirmed = true
		s.permit.Confirm()
	}
	return err
}

// Header returns nil if the stream ended without one.
func (s *probingStream) Header() (metadata.MD, error) {
	header, err := s.ClientStream.Header()
	if header != nil {
		s.permit.Confirm()
	}
	return header, err
}
