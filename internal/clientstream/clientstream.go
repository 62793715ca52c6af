// Package clientstream finds the end of a client stream as its caller sees it. grpc.OnFinish does not: an interceptor that
// retries opens several gRPC streams for one call, each of which ends by itself.
package clientstream

import (
	"context"
	"io"
	"slices"
	"sync"
	"sync/atomic"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/connectivity"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

// Stream is a client stream that reports its end. It ends when its caller gets an error or io.EOF, the only response of a
// call without a stream of them, or when the caller cancels the context or closes the connection. Init and Open it once,
// and do not copy it.
type Stream struct {
	grpc.ClientStream

	// End is called once, on any goroutine, with nil after a success. Trailer is nil unless the caller received err.
	End func(err error, trailer func() metadata.MD)

	ctx          context.Context
	conn         *grpc.ClientConn
	manyMessages bool
	ended        atomic.Bool
	finished     atomic.Bool // a gRPC stream of the call has ended
	receiving    atomic.Bool // in Open or RecvMsg, which return what the caller gets

	mu   sync.Mutex
	stop func() bool // ends the wait for ctx; nil if there is none
}

// Open opens the stream. The error is also reported to End.
func (s *Stream) Open(
	ctx context.Context, desc *grpc.StreamDesc, conn *grpc.ClientConn, method string, streamer grpc.Streamer,
	opts ...grpc.CallOption,
) (err error) {
	s.ctx, s.conn, s.manyMessages = ctx, conn, desc.ServerStreams
	s.receiving.Store(true)
	s.ClientStream, err = streamer(ctx, desc, conn, method, append(slices.Clip(opts), grpc.OnFinish(s.finish))...)
	s.received(err, err != nil, nil)
	return err
}

// Claim reports whether the stream has not ended. End is not called afterwards.
func (s *Stream) Claim() bool { return s.ended.CompareAndSwap(false, true) }

// RecvMsg implements grpc.ClientStream.
func (s *Stream) RecvMsg(m any) error {
	s.receiving.Store(true)
	returned := false
	defer func() {
		if !returned { // it panicked
			s.received(nil, false, nil)
		}
	}()
	err := s.ClientStream.RecvMsg(m)
	returned = true
	switch {
	case err == nil:
		s.received(nil, !s.manyMessages, nil)
	case err == io.EOF && s.manyMessages: //nolint:errorlint // gRPC wraps it in "max retries exhausted"
		s.received(nil, true, nil)
	default:
		s.received(err, true, s.Trailer)
	}
	return err
}

// SendMsg implements grpc.ClientStream.
func (s *Stream) SendMsg(m any) error {
	err := s.ClientStream.SendMsg(m)
	if err != nil && err != io.EOF && s.finished.Load() { //nolint:errorlint // as in RecvMsg
		s.report(err, nil)
	}
	return err
}

// received records what Open or RecvMsg has returned.
func (s *Stream) received(err error, last bool, trailer func() metadata.MD) {
	if last {
		s.report(err, trailer)
		return
	}
	s.receiving.Store(false)
	if s.finished.Load() { // an attempt, or the call while a message was received
		s.await()
	}
}

// finish is called by gRPC at the end of each attempt.
func (s *Stream) finish(error) {
	s.finished.Store(true)
	if !s.receiving.Load() { // otherwise the caller gets the error, or the next attempt
		s.await()
	}
}

// await reports the end of the context or the connection, for a caller that does not receive.
func (s *Stream) await() {
	switch {
	case s.ctx.Err() != nil:
		s.canceled()
		return
	case s.conn != nil && s.conn.GetState() == connectivity.Shutdown:
		s.report(errClosed, nil)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stop == nil && !s.ended.Load() {
		s.stop = context.AfterFunc(s.ctx, s.canceled)
	}
}

func (s *Stream) canceled() { s.report(status.FromContextError(s.ctx.Err()).Err(), nil) }

var errClosed = status.Error(codes.Canceled, "the client connection is closing")

func (s *Stream) report(err error, trailer func() metadata.MD) {
	if !s.Claim() {
		return
	}
	s.mu.Lock()
	if s.stop != nil {
		s.stop()
	}
	s.mu.Unlock()
	s.End(err, trailer)
}
