package inventory

import (
	"context"
	"errors"
	"sync"

	inventoryv1 "github.com/vitals-go/vitals/examples/inventory/v1"
)

// Get implements inventory.v1.Inventory. The price is looked up while the item is read.
func (s *Service) Get(ctx context.Context, req *inventoryv1.GetRequest) (*inventoryv1.GetResponse, error) {
	var wrong violations
	wrong.sku("sku", req.GetSku())
	if err := wrong.err(); err != nil {
		return nil, err
	}
	var (
		resp    inventoryv1.GetResponse
		pricing sync.WaitGroup
	)
	priceCtx, cancel := context.WithCancel(ctx)
	defer pricing.Wait()
	defer cancel() // An item that does not exist needs no price.
	if s.prices != nil {
		pricing.Go(func() {
			if price, ok := s.prices.Price(priceCtx, req.GetSku()); ok {
				resp.Price = &inventoryv1.Price{CurrencyCode: price.Currency, MinorUnits: price.MinorUnits}
			}
		})
	}
	item, fromUpstream, err := s.find(ctx, req.GetSku())
	if err != nil {
		return nil, s.wireError(ctx, err)
	}
	pricing.Wait()
	resp.Item, resp.FromUpstream = toProto(item), fromUpstream
	return &resp, nil
}

// find looks for an item in the cache, in the store and upstream, in this order. A store that cannot be reached is an
// error, not a reason to ask upstream: it may well hold a newer item.
func (s *Service) find(ctx context.Context, sku string) (item Item, fromUpstream bool, err error) {
	if s.cache != nil {
		if item, ok := s.cache.Get(ctx, sku); ok {
			return item, false, nil
		}
	}
	call, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	item, err = s.store.Get(call, sku)
	if err == nil && s.cache != nil {
		s.cache.Keep(ctx, Change{Kind: Put, Item: item})
	}
	if s.upstream != nil && errors.Is(err, ErrNotFound) {
		if item, ok := s.upstream.Get(ctx, sku); ok {
			return item, true, nil
		}
	}
	return item, false, err
}
