package inventory

import (
	"encoding/base64"
	"encoding/json"
	"errors"
)

// page is where a listing continues. Clients get it as an opaque token and hand it back.
type page struct {
	// Prefix of the listing: a token fits only the listing that it came from.
	Prefix string `json:"p,omitempty"`
	// After is the last SKU of the previous page.
	After string `json:"a"`
	// Revision when the first page was read.
	Revision int64 `json:"r"`
}

var errPageToken = errors.New("was not issued by this listing")

func (p page) token() string {
	text, _ := json.Marshal(p) // Strings and numbers always marshal.
	return base64.RawURLEncoding.EncodeToString(text)
}

// parsePage reads a token that came from outside and trusts nothing in it.
func parsePage(token, prefix string) (page, error) {
	if len(token) > 4*maxSKU+64 {
		return page{}, errPageToken
	}
	text, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil {
		return page{}, errPageToken
	}
	var p page
	if json.Unmarshal(text, &p) != nil {
		return page{}, errPageToken
	}
	var v violations
	v.sku("after", p.After)
	if v.err() != nil || p.Prefix != prefix || p.Revision < 0 {
		return page{}, errPageToken
	}
	return p, nil
}
