// Package interceptor records gRPC calls, server and client, unary and stream, and any other work by Begin and End: how
// many, with which code they ended, how long they took. A Recorder never changes the outcome of a call. A Recovery
// turns a handler's panic into codes.Internal.
//
//	rec, err := interceptor.New(interceptor.Config{})
//	server := grpc.NewServer(rec.ServerOptions()...) // records, and recovers from panics
//	shop.RegisterOrdersServer(server, orders)
//	rec.Register(server)                             // the names that may appear in metrics
//	...
//	snapshot := rec.Server()
//
// # What is counted
//
// A call counts with the code that its peer receives, which is not always the error that the handler returned: wrapped
// status errors and context errors are read as grpc-go reads them, and a call counts as Canceled or DeadlineExceeded
// once its context has ended. Each call counts exactly once, when its handler returns, panics or calls runtime.Goexit,
// or when its client stream ends.
//
// Interceptors do not run for requests that cannot be decoded, are too large or name an unknown method. A response that
// is too large to send counts as what the handler returned.
//
// # Concurrency and cost
//
// All methods are safe for concurrent use. Nothing starts goroutines or needs to be closed. Reading blocks no call, and
// no call blocks another one.
//
// A unary call costs two readings of the monotonic clock, one map lookup and three atomic additions to memory that
// other cores rarely write; it allocates nothing. A stream allocates one wrapper; a message costs one addition. A
// method that was never called takes less than 1 KB, a busy one 1.8 KB for each stripe that its calls use (at most 32;
// as much again once it fails, and 0.1 KB for each code) and 0.9 KB for each of the window's 12 slots.
//
// With Config.Exemplar, a call costs 5 to 10 ns more, plus the function if it runs. A method keeps at most 58 exemplars
// of 0.5 KB.
package interceptor
