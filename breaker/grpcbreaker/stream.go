package grpcbreaker

import (
	"context"
	"slices"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"

	"github.com/vitals-go/vitals/breaker"
)

// StreamClientInterceptor implements grpc.StreamClientInterceptor.
func (i *Interceptor) StreamClientInterceptor(
	ctx context.Context, desc *grpc.StreamDesc, cc *grpc.ClientConn, method string, open grpc.Streamer,
	opts ...grpc.CallOption,
) (grpc.ClientStream, error) {
	b := i.breaker(cc, method)
	if b == nil {
		return open(ctx, desc, cc, method, opts...)
	}
	permit, err := b.Allow(ctx)
	if err != nil {
		return nil, err
	}
	permit.Untimed()
	end, opened := callEnd{cause: errAbandoned}, false
	defer func() {
		if !opened {
			end.record(b, &permit)
		}
	}()
	// gRPC sets trailer before it runs finish, on the same goroutine.
	var trailer metadata.MD
	finish := func(err error) {
		end := callEnd{cause: errAbandoned}
		defer func() { end.record(b, &permit) }()
		end = i.classify(err, trailer)
	}
	opts = append(slices.Clip(opts), grpc.Trailer(&trailer), grpc.OnFinish(finish))
	stream, err := open(permit.Context(), desc, cc, method, opts...)
	if err != nil {
		// An inner interceptor may have failed before gRPC began the call: then finish does not run.
		end = i.classify(err, nil)
		return nil, err
	}
	opened = true
	if permit.Probe() {
		return &probeStream{ClientStream: stream, permit: &permit}, nil
	}
	return stream, nil
}

// probeStream confirms the half-open probe at the first header or message.
type probeStream struct {
	grpc.ClientStream
	permit    *breaker.Permit
	confirmed bool // written by RecvMsg, which gRPC allows one goroutine at a time
}

func (s *probeStream) RecvMsg(m any) error {
	err := s.ClientStream.RecvMsg(m)
	if err == nil && !s.confirmed {
		s.confirmed = true
		s.permit.Confirm()
	}
	return err
}

// Header returns nil without an error if the stream ended without a header.
func (s *probeStream) Header() (metadata.MD, error) {
	header, err := s.ClientStream.Header()
	if header != nil {
		s.permit.Confirm()
	}
	return header, err
}
