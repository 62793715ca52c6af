package grpcbreaker

import (
	"context"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"

	"github.com/vitals-go/vitals/breaker"
	"github.com/vitals-go/vitals/internal/clientstream"
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
	s := &stream{interceptor: i, breaker: b, permit: &permit}
	permit.Untimed()
	s.End = s.end
	defer func() {
		if s.ClientStream == nil && s.Claim() { // open panicked
			permit.Record(breaker.Failure, errAbandoned)
		}
	}()
	if err := s.Open(permit.Context(), desc, cc, method, open, opts...); err != nil {
		return nil, err
	}
	return s, nil
}

// stream records the end of its call. It confirms a half-open probe at the first header or message.
type stream struct {
	clientstream.Stream
	interceptor *Interceptor
	breaker     *breaker.Breaker
	permit      *breaker.Permit
	confirmed   bool // written by RecvMsg, which gRPC allows one goroutine at a time
}

func (s *stream) end(err error, trailer func() metadata.MD) {
	end := callEnd{cause: errAbandoned}
	defer func() {
		_ = recover() // Classify may panic, and gRPC may run end in a goroutine of its own
		end.record(s.breaker, s.permit)
	}()
	end = s.interceptor.classify(err, trailer)
}

func (s *stream) RecvMsg(m any) error {
	err := s.Stream.RecvMsg(m)
	if err == nil && !s.confirmed {
		s.confirmed = true
		s.permit.Confirm()
	}
	return err
}

// Header returns nil without an error if the stream ended without a header.
func (s *stream) Header() (metadata.MD, error) {
	header, err := s.ClientStream.Header()
	if header != nil {
		s.permit.Confirm()
	}
	return header, err
}
