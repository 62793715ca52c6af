package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"
)

// maxValue bounds, in bytes, what the origin may make us keep.
const maxValue = 1 << 20

// origin is an HTTP server that is asked for keys that the store does not have: GET <url>/values/<key>.
type origin struct {
	url    string
	client http.Client
}

func newOrigin(url string) *origin {
	return &origin{url: url, client: http.Client{Timeout: 2 * time.Second}}
}

func (o *origin) get(ctx context.Context, key string) (value string, found bool, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, o.url+"/values/"+url.PathEscape(key), nil)
	if err != nil {
		return "", false, err
	}
	response, err := o.client.Do(request)
	if err != nil {
		return "", false, err
	}
	defer response.Body.Close()
	switch response.StatusCode {
	case http.StatusOK:
		text, err := io.ReadAll(io.LimitReader(response.Body, maxValue))
		return string(text), err == nil, err
	case http.StatusNotFound:
		return "", false, nil
	default:
		return "", false, fmt.Errorf("the origin answers %s", response.Status)
	}
}
