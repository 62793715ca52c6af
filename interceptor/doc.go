// Package interceptor watches gRPC calls, server and client, unary and stream: how many, how they ended, how long
// they took. It is a witness only: it never changes a call's outcome. Recovery, in the same package, does one thing
// more: it turns a handler's panic into a harmless status.
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
// A call is counted by the code that its peer sees, which is not always the error that the handler returned: wrapped
// status errors and bare context errors are read as grpc-go reads them, and a call whose caller has gone counts as
// Canceled or DeadlineExceeded whatever the handler said. Each call is settled exactly once: by return, panic,
// runtime.Goexit, or the end of a client stream, however it comes.
//
// An interceptor does not see everything. Requests that cannot be decoded, are too large or name an unknown method
// never reach it; a response that turns out too large to send is counted as what the handler returned.
//
// # Concurrency
//
// All methods of a Recorder and a Recovery may be called concurrently. Neither starts goroutines and neither needs to
// be closed. Reading never blocks a call, and a call never waits for another one.
//
// # Cost
//
// A unary call costs two readings of the monotonic clock, one map lookup and three additions to memory that other
// cores rarely write; it allocates nothing. A stream allocates one wrapper when it opens; a message costs one
// addition and no clock reading. A method that was never called takes less than 1 KB, a busy one 1.8 KB for each
// stripe that its calls touch (at most 32; as much again once it fails, and 0.1 KB for each code) and 0.9 KB for each
// slot of the window.
//
// Exemplars are off unless Config.Exemplar is set. A call that finds a young one of its like then costs about 5 ns more;
// one that does not, 10 ns and what the function costs: for a span that is not sampled, a look into the context
// (go test -run '^$' -bench 'Unary/ok' ./interceptor). A method keeps 58 exemplars at most, each of 0.5 KB, and replaces
// each at most once a second.
package interceptor
