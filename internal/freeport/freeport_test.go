package freeport

import (
	"context"
	"net"
	"strconv"
	"testing"
)

func TestTakeReturnsEachPortOnce(t *testing.T) {
	t.Parallel()
	taken := make(map[int]bool)
	for range 500 { // of 12,000 ports: without reservation two are the same almost surely
		port, err := Take(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if taken[port] {
			t.Errorf("got port %d twice", port)
		}
		taken[port] = true
	}
}

func TestReservedPortIsFreeForItsServer(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	port, err := Take(ctx)
	if err != nil {
		t.Fatal(err)
	}
	lis, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	if err != nil {
		t.Fatal(err)
	}
	if try(ctx, port) == nil {
		t.Error("the port is not reserved while its server listens")
	}
	if err := lis.Close(); err != nil {
		t.Fatal(err)
	}
	if try(ctx, port) == nil {
		t.Error("the port is not reserved while its server is down")
	}
}

func TestPortIsReleasedWhenContextIsDone(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	port, err := Take(ctx)
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	for try(t.Context(), port) != nil { // the release is asynchronous
		if t.Context().Err() != nil {
			t.Fatal("the port is still reserved")
		}
	}
}
