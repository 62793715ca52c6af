package inventory

import (
	"context"
	"errors"
	"log/slog"
	"time"

	inventoryv1 "github.com/vitals-go/vitals/examples/inventory/v1"
)

// Config of a Service.
type Config struct {
	// Store is required.
	Store Store
	// Cache, Prices and Upstream are optional.
	Cache    Cache
	Prices   Prices
	Upstream Upstream

	// StoreTimeout bounds one call of the store, so that a database that hangs costs a caller no more. Default 2 s.
	StoreTimeout time.Duration
	// PollInterval is how often the store is asked for changes that other instances have made; those made through
	// this one are known at once. Default 1 s.
	PollInterval time.Duration
	// History is how many changes the store keeps for watchers that reconnect. Default 100,000.
	History int64
	// MaxWatches bounds the concurrent Watch streams. Default 1,000.
	MaxWatches int

	// Log may be nil.
	Log *slog.Logger
}

// Service implements inventory.v1.Inventory. Create it with New.
type Service struct {
	inventoryv1.UnimplementedInventoryServer

	store    Store
	cache    Cache
	prices   Prices
	upstream Upstream
	timeout  time.Duration
	log      *slog.Logger

	feed    *feed
	watches chan struct{} // one element per open Watch stream
	// ending is the context of all watches; EndWatches cancels it.
	ending     context.Context
	endWatches context.CancelFunc
}

// New returns a Service. It reports all mistakes of cfg at once and starts nothing.
func New(cfg Config) (*Service, error) {
	var mistakes []error
	if cfg.Store == nil {
		mistakes = append(mistakes, errors.New("inventory: Config.Store is required"))
	}
	if cfg.StoreTimeout < 0 || cfg.PollInterval < 0 || cfg.History < 0 || cfg.MaxWatches < 0 {
		mistakes = append(mistakes, errors.New("inventory: durations and limits of Config must not be negative"))
	}
	if len(mistakes) > 0 {
		return nil, errors.Join(mistakes...)
	}
	log := cfg.Log
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	timeout := orDefault(cfg.StoreTimeout, 2*time.Second)
	ending, end := context.WithCancel(context.Background())
	return &Service{
		store:    cfg.Store,
		cache:    cfg.Cache,
		prices:   cfg.Prices,
		upstream: cfg.Upstream,
		timeout:  timeout,
		log:      log,
		feed: newFeed(cfg.Store, log, timeout,
			orDefault(cfg.PollInterval, time.Second), orDefault(cfg.History, 100_000)),
		watches: make(chan struct{}, orDefault(cfg.MaxWatches, 1000)),
		ending:  ending, endWatches: end,
	}, nil
}

func orDefault[T comparable](value, fallback T) T {
	var zero T
	if value == zero {
		return fallback
	}
	return value
}

// Run follows the store's history for the watchers until ctx ends, and then ends all watches.
func (s *Service) Run(ctx context.Context) {
	defer s.EndWatches()
	s.feed.run(ctx)
}

// EndWatches ends all Watch streams, present and future, with UNAVAILABLE. Call it when the server drains: GracefulStop
// would wait for the streams forever, and clients can resume at another server.
func (s *Service) EndWatches() { s.endWatches() }

// Put implements inventory.v1.Inventory.
func (s *Service) Put(ctx context.Context, req *inventoryv1.PutRequest) (*inventoryv1.PutResponse, error) {
	var wrong violations
	wrong.item(req.GetItem())
	wrong.expected(req.ExpectedRevision, 0)
	if err := wrong.err(); err != nil {
		return nil, err
	}
	call, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	item, err := s.store.Put(call, fromProto(req.GetItem()), req.ExpectedRevision)
	if err != nil {
		s.dropStale(ctx, req.GetItem().GetSku(), err)
		return nil, s.wireError(ctx, err)
	}
	s.changed(ctx, Change{Kind: Put, Item: item})
	return &inventoryv1.PutResponse{Item: toProto(item)}, nil
}

// Delete implements inventory.v1.Inventory.
func (s *Service) Delete(ctx context.Context, req *inventoryv1.DeleteRequest) (*inventoryv1.DeleteResponse, error) {
	var wrong violations
	wrong.sku("sku", req.GetSku())
	wrong.expected(req.ExpectedRevision, 1)
	if err := wrong.err(); err != nil {
		return nil, err
	}
	call, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	item, err := s.store.Delete(call, req.GetSku(), req.ExpectedRevision)
	if err != nil {
		s.dropStale(ctx, req.GetSku(), err)
		return nil, s.wireError(ctx, err)
	}
	s.changed(ctx, Change{Kind: Deleted, Item: item})
	return &inventoryv1.DeleteResponse{Revision: item.Revision}, nil
}

// List implements inventory.v1.Inventory.
func (s *Service) List(ctx context.Context, req *inventoryv1.ListRequest) (*inventoryv1.ListResponse, error) {
	var wrong violations
	wrong.prefix("sku_prefix", req.GetSkuPrefix())
	if size := req.GetPageSize(); size < 0 || size > maxPageSize {
		wrong.add("page_size", "must be between 0 and %d", maxPageSize)
	}
	at := page{Prefix: req.GetSkuPrefix()}
	if req.GetPageToken() != "" {
		var err error
		if at, err = parsePage(req.GetPageToken(), req.GetSkuPrefix()); err != nil {
			wrong.add("page_token", "%v", err)
		}
	}
	if err := wrong.err(); err != nil {
		return nil, err
	}
	size := orDefault(int(req.GetPageSize()), defaultPageSize)
	items, at, err := s.readPage(ctx, at, size)
	if err != nil {
		return nil, s.wireError(ctx, err)
	}
	resp := &inventoryv1.ListResponse{Revision: at.Revision}
	if len(items) > size {
		items = items[:size]
		at.After = items[size-1].SKU
		resp.NextPageToken = at.token()
	}
	for _, item := range items {
		resp.Items = append(resp.Items, toProto(item))
	}
	return resp, nil
}

// readPage reads one item more than asked for, to know whether there is a next page. The revision is read before the
// first page's items: whoever watches from there sees every change that the pages may have missed.
func (s *Service) readPage(ctx context.Context, at page, size int) ([]Item, page, error) {
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	if at.After == "" {
		revision, err := s.store.Head(ctx)
		if err != nil {
			return nil, at, err
		}
		at.Revision = revision
	}
	items, err := s.store.List(ctx, at.Prefix, at.After, size+1)
	return items, at, err
}

// changed updates the cache and wakes the watchers after a change made through this instance.
func (s *Service) changed(ctx context.Context, change Change) {
	s.feed.poke()
	if s.cache != nil {
		s.cache.Keep(ctx, change)
	}
}

// dropStale forgets a cached item that has just proved to be behind, so that the client's next read is fresh.
func (s *Service) dropStale(ctx context.Context, sku string, err error) {
	_, conflicts := errors.AsType[*ConflictError](err)
	if s.cache != nil && (conflicts || errors.Is(err, ErrNotFound)) {
		s.cache.Drop(ctx, sku)
	}
}
