package bearer

import (
	"context"
	"hash/maphash"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"time"
)

const (
	// burst is how many wrong tokens a source may show at once, refill how long it waits for each further one.
	burst  = 10
	refill = 6 * time.Second
	// places is the size of the table that all sources share.
	places = 1024
	// silence is the least time between two log lines about wrong tokens.
	silence = 10 * time.Second
)

// tries are token buckets, one for each place of a table in which sources find theirs by a secret hash, so that nobody
// can choose with whom to fall together.
type tries struct {
	seed maphash.Seed

	mu    sync.Mutex
	spent [places]bucket
}

// bucket is full in its zero value: nothing has been spent.
type bucket struct {
	spent float64
	at    time.Time
}

func newTries() *tries { return &tries{seed: maphash.MakeSeed()} }

// left reports whether source may try.
func (t *tries) left(source string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.of(source, time.Now()).spent <= burst-1
}

// spend counts a wrong token. Tries at the same time may spend a few more than are left.
func (t *tries) spend(source string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.of(source, time.Now()).spent++
}

// of returns the bucket of source as it is now.
func (t *tries) of(source string, now time.Time) *bucket {
	b := &t.spent[maphash.String(t.seed, source)%places]
	b.spent = max(b.spent-float64(now.Sub(b.at))/float64(refill), 0)
	b.at = now
	return b
}

// sourceOf is what a guesser cannot change at will: the IPv4 address, the network that a host of IPv6 is given whole, or
// the name of a socket.
func sourceOf(address string) string {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return address
	}
	ip, err := netip.ParseAddr(host)
	if err != nil {
		return host
	}
	ip = ip.Unmap().WithZone("")
	if ip.Is4() {
		return ip.String()
	}
	network, _ := ip.Prefix(64)
	return network.String()
}

// alarm tells the log of wrong tokens, however many there are, in few lines.
type alarm struct {
	mu    sync.Mutex
	told  time.Time
	since int // wrong tokens that the log has not been told of
}

func (a *alarm) wrong(ctx context.Context, log *slog.Logger, source string) {
	a.mu.Lock()
	a.since++
	count, now := a.since, time.Now()
	quiet := now.Sub(a.told) < silence
	if !quiet {
		a.told, a.since = now, 0
	}
	a.mu.Unlock()
	if !quiet {
		log.LogAttrs(ctx, slog.LevelWarn, "wrong bearer tokens were shown for the details of health",
			slog.String("last_source", source), slog.Int("count", count))
	}
}
