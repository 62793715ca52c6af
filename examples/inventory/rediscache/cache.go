package rediscache

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"

	"github.com/vitals-go/vitals/examples/inventory"
)

// Config of a Cache.
type Config struct {
	// URL of the server: redis://user:password@host:6379/0, or rediss:// for TLS. Required.
	URL string
	// Identity of the inventory that is remembered; while it is empty, nothing is. Required.
	Identity func() string
	// Limiter admits calls: a circuit breaker. May be nil.
	Limiter redis.Limiter
	// TTL is how long an entry lives. Default 1 min.
	TTL time.Duration
	// Timeout of one call. A cache that is slower than the database is of no use. Default 100 ms.
	Timeout time.Duration
}

// Cache implements inventory.Cache. Create it with New.
type Cache struct {
	client   *redis.Client
	identity func() string
	ttl      time.Duration
	timeout  time.Duration
}

var _ inventory.Cache = (*Cache)(nil)

// ErrURL is the error for an invalid URL. It omits the reason, which may quote the password.
var ErrURL = errors.New("is not of the form redis://user:password@host:6379/0")

// New returns a cache and connects when it is first used.
func New(cfg Config) (*Cache, error) {
	options, err := redis.ParseURL(cfg.URL)
	if err != nil {
		return nil, ErrURL
	}
	if cfg.Identity == nil {
		return nil, errors.New("rediscache: Config.Identity is required")
	}
	if cfg.TTL == 0 {
		cfg.TTL = time.Minute
	}
	if cfg.Timeout == 0 {
		cfg.Timeout = 100 * time.Millisecond
	}
	options.Limiter = cfg.Limiter
	options.ContextTimeoutEnabled = true
	options.MaxRetries, options.DialerRetries = -1, 1 // Asking the database is the better second try.
	options.DialTimeout = time.Second
	options.MaintNotificationsConfig = &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
	return &Cache{redis.NewClient(options), cfg.Identity, cfg.TTL, cfg.Timeout}, nil
}

// Close closes all connections.
func (c *Cache) Close() error { return c.client.Close() }

// Check returns nil if Redis responds.
func (c *Cache) Check(ctx context.Context) error { return c.client.Ping(ctx).Err() }

// Get implements inventory.Cache.
func (c *Cache) Get(ctx context.Context, sku string) (inventory.Item, bool) {
	key, ok := c.key(sku)
	if !ok {
		return inventory.Item{}, false
	}
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	text, err := c.client.HGet(ctx, key, "item").Bytes()
	if err != nil || len(text) == 0 {
		return inventory.Item{}, false
	}
	var item inventory.Item
	if json.Unmarshal(text, &item) != nil || item.SKU != sku {
		return inventory.Item{}, false
	}
	return item, true
}

// keep replaces an entry by a newer one. A deleted item leaves a revision without an item behind, against which older
// ones are measured until it expires. Revisions stay below 2⁵³, which is what Lua's numbers hold exactly.
var keep = redis.NewScript(`
	local known = redis.call('HGET', KEYS[1], 'revision')
	if known and tonumber(known) >= tonumber(ARGV[1]) then return 0 end
	redis.call('HSET', KEYS[1], 'revision', ARGV[1], 'item', ARGV[2])
	redis.call('PEXPIRE', KEYS[1], ARGV[3])
	return 1`)

// Keep implements inventory.Cache.
func (c *Cache) Keep(ctx context.Context, change inventory.Change) {
	key, ok := c.key(change.Item.SKU)
	if !ok {
		return
	}
	var text []byte
	if change.Kind == inventory.Put {
		text, _ = json.Marshal(change.Item) // Strings, numbers and a time of our century always marshal.
	}
	ctx, cancel := c.detached(ctx)
	defer cancel()
	keep.Run(ctx, c.client, []string{key}, change.Revision(), text, c.ttl.Milliseconds())
}

// Drop implements inventory.Cache.
func (c *Cache) Drop(ctx context.Context, sku string) {
	key, ok := c.key(sku)
	if !ok {
		return
	}
	ctx, cancel := c.detached(ctx)
	defer cancel()
	c.client.Del(ctx, key)
}

// detached returns a context for updating the cache after a change, also if the caller has canceled.
func (c *Cache) detached(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), c.timeout)
}

func (c *Cache) key(sku string) (key string, ok bool) {
	identity := c.identity()
	return "inventory:" + identity + ":" + sku, identity != ""
}
