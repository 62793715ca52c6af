package bearer

import (
	"cmp"
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"log/slog"
	"strings"
	"time"
)

// Tokens is a set of valid bearer tokens for servicer.Details. It is safe for concurrent use and starts no goroutine.
type Tokens struct {
	listed []digest
	file   *file // nil without Config.File
}

// New validates cfg and loads its file. The error joins all mistakes and quotes no token.
func New(cfg Config) (*Tokens, error) {
	if len(cfg.Tokens) == 0 && cfg.File == "" {
		return nil, errors.New("bearer: Tokens or File is required")
	}
	t := &Tokens{}
	var err, fileErr error
	t.listed, err = digests("Tokens", cfg.Tokens)
	if cfg.File != "" {
		t.file = &file{path: cfg.File, log: cmp.Or(cfg.Logger, slog.Default()).With("logger", "plugin.health"), checked: time.Now()}
		fileErr = t.file.load()
	}
	if err := errors.Join(err, fileErr); err != nil {
		return nil, err
	}
	return t, nil
}

// Allow reports whether header, of an HTTP request or gRPC metadata, carries a valid token. Header names are
// case-insensitive; a request with two Authorization headers is not allowed. ctx is passed to the logger.
func (t *Tokens) Allow(ctx context.Context, header map[string][]string) bool {
	token, ok := credentials(header)
	if !ok || len(token) > maxToken {
		return false
	}
	sum := sha256.Sum256([]byte(token))
	found := compare(sum, t.listed)
	if t.file != nil {
		found |= compare(sum, t.file.digests(ctx))
	}
	return found == 1
}

// compare returns 1 if sum is one of digests. It compares with all of them, so that its duration is constant.
func compare(sum digest, digests []digest) (found int) {
	for i := range digests {
		found |= subtle.ConstantTimeCompare(sum[:], digests[i][:])
	}
	return found
}

// credentials returns the token in header, if there is exactly one.
func credentials(header map[string][]string) (token string, ok bool) {
	for name, values := range header {
		if !strings.EqualFold(name, "authorization") {
			continue
		}
		if ok || len(values) != 1 {
			return "", false
		}
		scheme, rest, _ := strings.Cut(values[0], " ")
		token = strings.Trim(rest, " ")
		if ok = strings.EqualFold(scheme, "bearer") && token != ""; !ok {
			return "", false
		}
	}
	return token, ok
}
