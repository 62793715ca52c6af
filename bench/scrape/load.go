package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/emptypb"
)

// paced does something at a fixed rate, however long it takes, and times it from when it was due.
func paced(ctx context.Context, rate int, length time.Duration, do func(i int) error) (sample, error) {
	var (
		mu    sync.Mutex
		took  sample
		errs  error
		doing sync.WaitGroup
	)
	start := time.Now()
	for i := range int(length.Seconds() * float64(rate)) {
		due := start.Add(time.Duration(i) * time.Second / time.Duration(rate))
		select {
		case <-time.After(time.Until(due)):
		case <-ctx.Done():
			doing.Wait()
			return took, errs
		}
		doing.Go(func() {
			err := do(i)
			late := time.Since(due)
			mu.Lock()
			defer mu.Unlock()
			took = append(took, late)
			if errs == nil {
				errs = err
			}
		})
	}
	doing.Wait()
	return took, errs
}

// call calls the methods in turns.
func (p plan) call(ctx context.Context, conn *grpc.ClientConn, length time.Duration) (sample, error) {
	took, err := paced(ctx, p.calls, length, func(i int) error {
		return conn.Invoke(ctx, fmt.Sprintf("/bench.v1.Scraped/Method%d", i%p.methods), &emptypb.Empty{}, &emptypb.Empty{})
	})
	return took, errors.Join(err, ctx.Err())
}

// scrape scrapes until stop is called, which returns how long each took and the size of a page as it was sent. No page is
// no scrape.
func (p plan) scrape(ctx context.Context, page string) (stop func() (sample, int, error)) {
	if page == "" {
		return func() (sample, int, error) { return nil, 0, nil }
	}
	scraping, end := context.WithCancel(ctx)
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 8, DisableCompression: true}} // we ask by ourselves
	var (
		took sample
		size int
		mu   sync.Mutex
		err  error
		done = make(chan struct{})
	)
	go func() {
		defer close(done)
		took, err = paced(scraping, p.scrapes, time.Hour, func(int) error {
			n, err := fetch(ctx, client, page)
			mu.Lock()
			defer mu.Unlock()
			size = max(size, n)
			return err
		})
	}()
	return func() (sample, int, error) {
		end()
		<-done
		client.CloseIdleConnections()
		return took, size, err
	}
}

// fetch scrapes once as Prometheus does, and throws away what comes.
func fetch(ctx context.Context, client *http.Client, page string) (int, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, page, nil)
	if err != nil {
		return 0, err
	}
	request.Header.Set("Accept", "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8,text/plain;version=0.0.4;q=0.5")
	request.Header.Set("Accept-Encoding", "gzip")
	resp, err := client.Do(request)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return 0, fmt.Errorf("a scrape was answered by %s", resp.Status)
	}
	n, err := io.Copy(io.Discard, resp.Body)
	return int(n), err
}
