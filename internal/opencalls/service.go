package opencalls

import (
	"context"
	"slices"

	"google.golang.org/grpc"
)

// Service returns desc with handlers that open each call in a Set before its request is received: unary calls until they
// have received it, streams until they end.
func Service(desc grpc.ServiceDesc, unary, streams *Set) *grpc.ServiceDesc {
	desc.Methods, desc.Streams = slices.Clone(desc.Methods), slices.Clone(desc.Streams)
	for i := range desc.Methods {
		handle := desc.Methods[i].Handler
		desc.Methods[i].Handler = func(
			service any, ctx context.Context, decode func(any) error, interceptor grpc.UnaryServerInterceptor,
		) (any, error) {
			return handle(service, ctx, func(request any) error {
				call, err := unary.Open(ctx)
				if err != nil {
					return err
				}
				defer call.Close()
				return call.Receive(decode, request)
			}, interceptor)
		}
	}
	for i := range desc.Streams {
		handle := desc.Streams[i].Handler
		desc.Streams[i].Handler = func(service any, inner grpc.ServerStream) error {
			return streams.Handle(inner, func(opened grpc.ServerStream) error { return handle(service, opened) })
		}
	}
	return &desc
}

// Handle opens the call of a stream and passes it, opened, to handle.
func (s *Set) Handle(inner grpc.ServerStream, handle func(opened grpc.ServerStream) error) error {
	call, err := s.Open(inner.Context())
	if err != nil {
		return err
	}
	defer call.Close()
	return handle(&stream{inner, call})
}

// stream is a stream with an open call.
type stream struct {
	grpc.ServerStream

	call *Call
}

// RecvMsg implements grpc.ServerStream.
func (s *stream) RecvMsg(request any) error { return s.call.Receive(s.ServerStream.RecvMsg, request) }

// Enter returns the call of a stream. If Handle has not opened it, Enter does, and leave closes it.
func Enter[Request, Response any](s *Set, server grpc.ServerStreamingServer[Response]) (call *Call, leave func(), err error) {
	if generic, ok := server.(*grpc.GenericServerStream[Request, Response]); ok {
		if opened, ok := generic.ServerStream.(*stream); ok {
			return opened.call, func() {}, nil
		}
	}
	call, err = s.Open(server.Context())
	if err != nil {
		return nil, nil, err
	}
	return call, call.Close, nil
}
