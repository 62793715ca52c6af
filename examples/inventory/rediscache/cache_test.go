package rediscache_test

import (
	"errors"
	"testing"
	"time"

	"github.com/vitals-go/vitals/examples/inventory"
	"github.com/vitals-go/vitals/examples/inventory/rediscache"
	"github.com/vitals-go/vitals/internal/e2e/testdeps"
)

func newCache(t *testing.T, url, identity string) *rediscache.Cache {
	t.Helper()
	cache, err := rediscache.New(rediscache.Config{
		URL:      url,
		Identity: func() string { return identity },
		Timeout:  5 * time.Second, // The test machine may be slow; what is tested is not the time.
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cache.Close() })
	return cache
}

func bolt(kind inventory.ChangeKind, revision int64) inventory.Change {
	return inventory.Change{Kind: kind, Item: inventory.Item{
		SKU: "bolt", Name: "Bolt", Quantity: revision, Revision: revision, Updated: time.UnixMicro(1).UTC(),
	}}
}

func TestNewestWins(t *testing.T) {
	redis := testdeps.NewRedis(t)
	for name, tc := range map[string]struct {
		kept []inventory.Change
		want int64 // 0: nothing
	}{
		"nothing yet":              {nil, 0},
		"one":                      {[]inventory.Change{bolt(inventory.Put, 1)}, 1},
		"newer after older":        {[]inventory.Change{bolt(inventory.Put, 1), bolt(inventory.Put, 2)}, 2},
		"older after newer":        {[]inventory.Change{bolt(inventory.Put, 10), bolt(inventory.Put, 9)}, 10},
		"deleted":                  {[]inventory.Change{bolt(inventory.Put, 1), bolt(inventory.Deleted, 2)}, 0},
		"late reader, deleted":     {[]inventory.Change{bolt(inventory.Deleted, 2), bolt(inventory.Put, 1)}, 0},
		"made again after deleted": {[]inventory.Change{bolt(inventory.Deleted, 2), bolt(inventory.Put, 3)}, 3},
	} {
		t.Run(name, func(t *testing.T) {
			cache := newCache(t, redis.URL(), name)
			for _, change := range tc.kept {
				cache.Keep(t.Context(), change)
			}
			item, ok := cache.Get(t.Context(), "bolt")
			if ok != (tc.want > 0) || item.Revision != tc.want {
				t.Errorf("Get = %+v, %v; want revision %d", item, ok, tc.want)
			}
			if ok && item != bolt(inventory.Put, tc.want).Item {
				t.Errorf("Get = %+v, not what was kept", item)
			}
			cache.Drop(t.Context(), "bolt")
			if _, ok := cache.Get(t.Context(), "bolt"); ok {
				t.Error("Get after Drop finds something")
			}
		})
	}
}

func TestInventoriesAreKeptApart(t *testing.T) {
	redis := testdeps.NewRedis(t)
	newCache(t, redis.URL(), "one").Keep(t.Context(), bolt(inventory.Put, 1))
	for _, identity := range []string{"another", ""} {
		cache := newCache(t, redis.URL(), identity)
		if item, ok := cache.Get(t.Context(), "bolt"); ok {
			t.Errorf("inventory %q finds the other one's %+v", identity, item)
		}
	}
}

func TestRedisAway(t *testing.T) {
	redis := testdeps.NewRedis(t)
	cache := newCache(t, redis.URL(), "one")
	cache.Keep(t.Context(), bolt(inventory.Put, 1))
	redis.Stop()
	cache.Keep(t.Context(), bolt(inventory.Put, 2))
	if _, ok := cache.Get(t.Context(), "bolt"); ok {
		t.Error("Get finds something without Redis")
	}
	if err := cache.Check(t.Context()); err == nil {
		t.Error("Check is nil without Redis")
	}
	redis.Start()
	testdeps.Eventually(t, time.Minute, func() error { return cache.Check(t.Context()) })
}

func TestURL(t *testing.T) {
	_, err := rediscache.New(rediscache.Config{URL: "http://me:hunter2@host", Identity: func() string { return "" }})
	if !errors.Is(err, rediscache.ErrURL) || err.Error() != rediscache.ErrURL.Error() {
		t.Errorf("error %v, want exactly ErrURL, which quotes nothing", err)
	}
}
