package interceptor

import "google.golang.org/grpc"

// ServerOptions returns the options that make a server record all its calls and survive panics, in the order in which
// this works best: the Recorder first, then a Recovery that logs to Config.Logger. Interceptors chained by later
// options stand between these and the handler.
func (r *Recorder) ServerOptions() []grpc.ServerOption {
	recovery := newRecovery(r.log)
	return []grpc.ServerOption{
		grpc.ChainUnaryInterceptor(r.UnaryServerInterceptor, recovery.UnaryServerInterceptor),
		grpc.ChainStreamInterceptor(r.StreamServerInterceptor, recovery.StreamServerInterceptor),
	}
}

// DialOptions returns the options that make a client record all its calls, as their callers see them.
func (r *Recorder) DialOptions() []grpc.DialOption {
	return []grpc.DialOption{
		grpc.WithChainUnaryInterceptor(r.UnaryClientInterceptor),
		grpc.WithChainStreamInterceptor(r.StreamClientInterceptor),
	}
}
