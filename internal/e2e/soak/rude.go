package main

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"time"

	"google.golang.org/grpc"

	inventoryv1 "github.com/vitals-go/vitals/examples/inventory/v1"
)

// These clients do not behave.

// connect opens a plain connection to one of the doors; nil if it cannot.
func (t *target) connect(ctx context.Context, addr string, done *tally) net.Conn {
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, "tcp", addr)
	if err != nil {
		return nil
	}
	done.rude.Add(1)
	return conn
}

func (t *target) anyDoor() string { return [...]string{t.Addr, t.Web}[rand.IntN(2)] }

// saySomethingRude sends what no protocol knows.
func saySomethingRude(ctx context.Context, t *target, done *tally) {
	conn := t.connect(ctx, t.anyDoor(), done)
	if conn == nil {
		return
	}
	defer conn.Close()
	words := make([]byte, rand.IntN(2000))
	for i := range words {
		words[i] = byte(rand.Uint32())
	}
	_ = conn.SetDeadline(time.Now().Add(2 * time.Second)) // A failure shows in what follows.
	_, _ = conn.Write(words)                              // It may be refused already.
	_, _ = io.Copy(io.Discard, conn)
}

// saySlowly sends half a request and then nothing.
func saySlowly(ctx context.Context, t *target, done *tally) {
	addr := t.anyDoor()
	conn := t.connect(ctx, addr, done)
	if conn == nil {
		return
	}
	defer conn.Close()
	half := "PRI * HTTP/2.0\r\n\r\nSM"
	if addr == t.Web {
		half = "GET /ready HTTP/1.1\r\nHost: slow\r\nX-Half"
	}
	_, _ = conn.Write([]byte(half)) // It may be refused already.
	pause(ctx, 4*time.Second)
}

// readNothing asks for endless answers, of both doors, and reads none of them.
func readNothing(ctx context.Context, t *target, done *tally) {
	if conn := t.connect(ctx, t.Web, done); conn != nil {
		defer conn.Close()
		fmt.Fprint(conn, "GET /health HTTP/1.1\r\nHost: deaf\r\nAccept: text/event-stream\r\n\r\n")
	}
	t.alone(ctx, 5*time.Second, func(ctx context.Context, conn *grpc.ClientConn) {
		done.streams.Add(1)
		if _, err := inventoryv1.NewInventoryClient(conn).Watch(ctx, &inventoryv1.WatchRequest{}); err == nil {
			<-ctx.Done()
		}
	})
}

// vanish resets the connection in the middle of a request or of its answer.
func vanish(ctx context.Context, t *target, done *tally) {
	conn := t.connect(ctx, t.Web, done)
	if conn == nil {
		return
	}
	defer conn.Close()
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0) // Without it the end is only less rude.
	}
	request := "GET /metrics HTTP/1.1\r\nHost: gone\r\n\r\n"
	_, _ = conn.Write([]byte(request[:rand.IntN(len(request)+1)])) // It may be refused already.
	pause(ctx, time.Duration(rand.IntN(5))*time.Millisecond)
}
