package main

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
	"google.golang.org/grpc/test/bufconn"

	"github.com/vitals-go/vitals/breaker"
)

func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == serverCommand { // a server of the experiment, started by one of the tests
		main()
		return
	}
	goleak.VerifyTestMain(m)
}

// inMemory is a network inside the process, and with it inside a bubble.
func inMemory() network {
	var mu sync.Mutex
	listeners := make(map[string]*bufconn.Listener)
	return network{
		listen: func(name string) (net.Listener, error) {
			lis := named{bufconn.Listen(1 << 16), name}
			mu.Lock()
			defer mu.Unlock()
			listeners[name] = lis.Listener
			return lis, nil
		},
		dial: func(ctx context.Context, address string) (net.Conn, error) {
			mu.Lock()
			lis := listeners[address]
			mu.Unlock()
			if lis == nil {
				return nil, errors.New("connection refused")
			}
			return lis.DialContext(ctx)
		},
	}
}

type named struct {
	*bufconn.Listener
	name string
}

func (n named) Addr() net.Addr { return address(n.name) }

type address string

func (a address) Network() string { return "memory" }
func (a address) String() string  { return string(a) }

func TestNoCallIsLostWhileOneServerServes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, err := startFleet(t.Context(), inMemory(), "one", "two", "three")
		if err != nil {
			t.Fatal(err)
		}
		defer f.stop()
		c, err := connect(f)
		if err != nil {
			t.Fatal(err)
		}
		defer c.close()
		if err := c.wait(t.Context()); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		serving := []string{"one two three", "one three", "one two three", "one two three", "", "one two three"}
		for i, act := range play(f) {
			seen := c.load(t.Context(), 5*time.Second, act.change)
			var names []string
			for _, m := range f.members {
				if seen.served[m.name] > 0 {
					names = append(names, m.name)
				}
			}
			if got := strings.Join(names, " "); got != serving[i] {
				t.Errorf("%s: %q serve, want %q", act.title, got, serving[i])
			}
			switch serving[i] {
			case "": // five failures open the breaker, then one probe after each pause
				if seen.lost < 5 || seen.lost > 15 || seen.rejected < 500 || c.breaker.State() == breaker.Closed {
					t.Errorf("%s: %d lost, %d turned away, breaker %v", act.title, seen.lost, seen.rejected, c.breaker.State())
				}
			default:
				var probes int // of the breaker that the act before has opened: one may come too early
				if i > 0 && serving[i-1] == "" {
					probes = 1
				}
				if seen.lost > probes || c.breaker.State() != breaker.Closed {
					t.Errorf("%s: %d lost, breaker %v", act.title, seen.lost, c.breaker.State())
				}
			}
		}
	})
}

func TestRunOverTCP(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var text strings.Builder
	if err := run(ctx, &text, overTCP(ctx), 500*time.Millisecond); err != nil {
		t.Fatal(err)
	}
	if lines := strings.Count(text.String(), "\n"); lines != 6 {
		t.Errorf("%d lines, want one for each act:\n%s", lines, &text)
	}
}

func TestRunEndsEarly(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if err := run(ctx, io.Discard, overTCP(ctx), time.Hour); err != nil && ctx.Err() == nil {
		t.Error(err)
	}
}
