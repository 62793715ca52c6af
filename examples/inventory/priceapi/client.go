// Package priceapi reads prices from an HTTP service.
package priceapi

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/vitals-go/vitals/examples/inventory"
)

// Config of a Client.
type Config struct {
	// URL of the service. Required.
	URL string
	// Transport carries the requests: a place for a circuit breaker. Default http.DefaultTransport.
	Transport http.RoundTripper
	// Timeout of one price, so that a slow service does not slow the inventory down. Default 300 ms.
	Timeout time.Duration
}

// Client implements inventory.Prices. Create it with New.
type Client struct {
	base    *url.URL
	http    http.Client
	timeout time.Duration
}

var _ inventory.Prices = (*Client)(nil)

// ErrURL is the error for an invalid URL. It does not quote the URL, which may hold a password.
var ErrURL = errors.New("is not of the form http://host:port/path")

const maxBody = 64 << 10

// New returns a client and connects when it is first used.
func New(cfg Config) (*Client, error) {
	base, err := url.Parse(cfg.URL)
	if err != nil || base.Host == "" || base.Scheme != "http" && base.Scheme != "https" {
		return nil, ErrURL
	}
	if cfg.Timeout == 0 {
		cfg.Timeout = 300 * time.Millisecond
	}
	return &Client{base: base, http: http.Client{Transport: cfg.Transport}, timeout: cfg.Timeout}, nil
}

// Close closes idle connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// Check returns nil if the service responds.
func (c *Client) Check(ctx context.Context) error {
	status, _, err := c.get(ctx, c.base)
	if err == nil && status >= http.StatusInternalServerError {
		err = fmt.Errorf("priceapi: the service answers with status %d", status)
	}
	return err
}

// Price implements inventory.Prices.
func (c *Client) Price(ctx context.Context, sku string) (inventory.Price, bool) {
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	status, body, err := c.get(ctx, c.base.JoinPath("prices", url.PathEscape(sku)))
	if err != nil || status != http.StatusOK {
		return inventory.Price{}, false
	}
	var price struct {
		CurrencyCode string `json:"currency_code"`
		MinorUnits   int64  `json:"minor_units"`
	}
	if json.Unmarshal(body, &price) != nil || len(price.CurrencyCode) != 3 || price.MinorUnits < 0 {
		return inventory.Price{}, false
	}
	return inventory.Price{Currency: price.CurrencyCode, MinorUnits: price.MinorUnits}, true
}

func (c *Client) get(ctx context.Context, at *url.URL) (status int, body []byte, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, at.String(), nil)
	if err != nil {
		return 0, nil, err
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer resp.Body.Close()
	body, err = io.ReadAll(io.LimitReader(resp.Body, maxBody))
	return resp.StatusCode, body, err
}
