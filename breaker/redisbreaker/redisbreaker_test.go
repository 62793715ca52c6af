package redisbreaker_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/vitals-go/vitals/breaker"
	"github.com/vitals-go/vitals/breaker/redisbreaker"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// replyError is an error that the server sent, as go-redis marks it.
type replyError string

func (e replyError) Error() string { return string(e) }

func (replyError) RedisError() {}

var errDown = errors.New("dial tcp: connection refused")

// client uses a Limiter as go-redis does: a command that needs a new connection runs the handshake through the
// Limiter in between.
type client struct {
	limiter interface {
		Allow() error
		ReportResult(error)
	}
	connected bool
	handshake error
	answer    error
}

func (c *client) command() error {
	if err := c.limiter.Allow(); err != nil {
		return err
	}
	err := c.connect()
	if err == nil {
		err = c.answer
	}
	c.limiter.ReportResult(err)
	return err
}

func (c *client) connect() error {
	if c.connected {
		return nil
	}
	for range 3 { // HELLO, AUTH and SELECT, CLIENT SETINFO.
		if err := c.limiter.Allow(); err != nil {
			return err
		}
		c.limiter.ReportResult(c.handshake)
		if c.handshake != nil {
			return c.handshake
		}
	}
	c.connected = true
	return nil
}

func protect(t *testing.T, cfg breaker.Config) (*breaker.Breaker, *redisbreaker.Limiter) {
	t.Helper()
	cfg.Name = "cache"
	b, err := breaker.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	limiter, err := redisbreaker.New(redisbreaker.Config{Breaker: b})
	if err != nil {
		t.Fatal(err)
	}
	return b, limiter
}

func TestClassifyReplies(t *testing.T) {
	for err, want := range map[error]breaker.Outcome{
		nil:                      breaker.Success,
		replyError("redis: nil"): breaker.Success,
		replyError("ERR unknown command 'HELLO'"):                    breaker.Success,
		replyError("WRONGTYPE Operation against"):                    breaker.Success,
		replyError("LOADING Redis is loading the dataset in memory"): breaker.Failure,
		replyError("CLUSTERDOWN Hash slot not served"):               breaker.Failure,
		replyError("MASTERDOWN Link with MASTER is down"):            breaker.Failure,
		replyError("TRYAGAIN Multiple keys request"):                 breaker.Failure,
		replyError("ERR max number of clients reached"):              breaker.Failure,
		errDown:                  breaker.Failure,
		context.DeadlineExceeded: breaker.Failure,
		context.Canceled:         breaker.Neutral,
		errors.New("redis: connection pool timeout"): breaker.Neutral,
		errors.New("redis: client is closed"):        breaker.Neutral,
	} {
		if got := redisbreaker.Classify(err); got != want {
			t.Errorf("%v is a %v, want %v", err, got, want)
		}
	}
	if got := redisbreaker.Classify(fmt.Errorf("get: %w", replyError("LOADING x"))); got != breaker.Failure {
		t.Errorf("wrapped: %v", got)
	}
}

func TestProbeMayOpenANewConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, limiter := protect(t, breaker.Config{})
		c := &client{limiter: limiter, handshake: errDown}
		for range 5 {
			_ = c.command()
		}
		if err := c.command(); !breaker.IsRejected(err) {
			t.Fatalf("%v, want a rejection", err)
		}
		time.Sleep(time.Until(b.Snapshot().RetryAt))
		synctest.Wait()
		c.handshake = nil
		if err := c.command(); err != nil || b.State() != breaker.Closed {
			t.Fatalf("%v, %v", err, b.State())
		}
	})
}

func TestHandshakeAloneDoesNotCloseTheBreaker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, limiter := protect(t, breaker.Config{})
		c := &client{limiter: limiter, answer: replyError("LOADING Redis is loading")}
		b.TripFor(time.Second)
		time.Sleep(2 * time.Second)
		_ = c.command()
		if s := b.Snapshot(); s.State != breaker.Open || s.Transitions[breaker.Closed] != 1 {
			t.Fatalf("%+v, want open: only the handshake has passed", s)
		}
	})
}

func TestCheckThroughTheSameClientProbes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, limiter := protect(t, breaker.Config{ProbeOnly: true})
		c := &client{limiter: limiter}
		check := limiter.Check(func(context.Context) error { return c.command() })
		if err := check(t.Context()); err != nil {
			t.Fatal(err)
		}
		b.TripFor(time.Second)
		if err := check(t.Context()); !breaker.IsRejected(err) {
			t.Fatalf("%v, want a rejection from memory", err)
		}
		time.Sleep(2 * time.Second)
		if err := c.command(); !breaker.IsRejected(err) {
			t.Fatalf("%v, want the probe left to the check", err)
		}
		c.connected = false
		if err := check(t.Context()); err != nil || b.State() != breaker.Closed {
			t.Fatalf("%v, %v", err, b.State())
		}
	})
}

// Commands after a probe that timed out, such as a BLPOP, are not part of its handshake.
func TestRecoversWhileAnEarlierProbeBlocks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, limiter := protect(t, breaker.Config{})
		b.TripFor(time.Second)
		time.Sleep(2 * time.Second)
		if err := limiter.Allow(); err != nil { // It never reports.
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		if s := b.State(); s != breaker.HalfOpen {
			t.Fatalf("%v, want half-open again", s)
		}
		c := &client{limiter: limiter}
		if err := c.command(); err != nil || b.State() != breaker.Closed {
			t.Fatalf("%v, %v", err, b.State())
		}
	})
}

// A check that has timed out ends while a command probes.
func TestEndOfACheckLeavesTheProbeOfACommand(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, limiter := protect(t, breaker.Config{})
		b.TripFor(time.Second)
		time.Sleep(2 * time.Second)
		release, ended := make(chan struct{}), make(chan error)
		check := limiter.Check(func(context.Context) error { <-release; return errors.New("down") })
		go func() { ended <- check(t.Context()) }()
		time.Sleep(time.Minute)
		if err := limiter.Allow(); err != nil || b.State() != breaker.HalfOpen {
			t.Fatalf("%v, %v, want a new probe", err, b.State())
		}
		close(release)
		if err := <-ended; err == nil {
			t.Fatal("the check passed")
		}
		if err := limiter.Allow(); err != nil {
			t.Fatalf("%v, want the handshake of the command to join its probe", err)
		}
		limiter.ReportResult(nil)
		limiter.ReportResult(nil)
		if b.State() != breaker.Closed {
			t.Errorf("%v after the probe has passed", b.State())
		}
	})
}

func TestPanicOfClassifyIsAFailure(t *testing.T) {
	b, err := breaker.New(breaker.Config{Name: "cache"})
	if err != nil {
		t.Fatal(err)
	}
	limiter, err := redisbreaker.New(redisbreaker.Config{Breaker: b, Classify: func(error) breaker.Outcome { panic("boom") }})
	if err != nil {
		t.Fatal(err)
	}
	if err := limiter.Allow(); err != nil {
		t.Fatal(err)
	}
	func() {
		defer func() { _ = recover() }()
		limiter.ReportResult(errDown)
	}()
	if calls := b.Snapshot().Calls; calls.Failures != 1 {
		t.Fatalf("%+v, want the command recorded", calls)
	}
}

func TestReportsWithoutACommandAreIgnored(t *testing.T) {
	b, limiter := protect(t, breaker.Config{})
	limiter.ReportResult(errDown)
	if calls := b.Snapshot().Calls; calls != (breaker.Calls{}) {
		t.Fatalf("%+v", calls)
	}
	var users sync.WaitGroup
	for range 8 {
		users.Go(func() {
			c := &client{limiter: limiter, connected: true}
			for range 500 {
				_ = c.command()
			}
		})
	}
	users.Wait()
	if calls := b.Snapshot().Calls; calls.Successes != 4000 {
		t.Fatalf("%+v, want 4000 successes", calls)
	}
}

func ExampleNew() {
	b, err := breaker.New(breaker.Config{Name: "cache"})
	if err != nil {
		panic(err)
	}
	limiter, err := redisbreaker.New(redisbreaker.Config{Breaker: b})
	if err != nil {
		panic(err)
	}
	// redis.NewClient(&redis.Options{Limiter: limiter}) calls these two:
	for range 6 {
		if err := limiter.Allow(); err != nil {
			fmt.Println(err)
			return
		}
		limiter.ReportResult(errDown)
	}
	// Output: circuit breaker cache is open
}
