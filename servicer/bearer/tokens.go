package bearer

import (
	"cmp"
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"strings"
	"time"

	"github.com/vitals-go/vitals/internal/asynclog"
	"github.com/vitals-go/vitals/internal/safefile"
)

const (
	minToken  = 16 // bytes; a shorter token can be guessed
	maxToken  = 1024
	maxTokens = 100 // each request with a token is compared with all of them
)

// Config configures Tokens. Tokens, File or both are required.
type Config struct {
	// Tokens are valid tokens: 16 to 1,024 of the characters that RFC 6750 allows (letters, digits and -._~+/, then
	// optional =), such as the output of "openssl rand -base64 32". At most 100.
	Tokens []string
	// File is a file with one token per line; empty lines are ignored. A relative path is relative to the working directory
	// at the time of New. It is reloaded when a caller sends a token and the file has changed, at most once a second. The
	// previous tokens stay valid while it is unreadable or invalid. At most 100 tokens.
	File string
	// Logger receives an error when File cannot be reloaded, without any token. Default: slog.Default().
	Logger *slog.Logger
}

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
		t.file = &file{path: safefile.Abs(cfg.File), log: asynclog.New(cmp.Or(cfg.Logger, slog.Default())), checked: time.Now()}
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

// syntax is that of RFC 6750.
var syntax = regexp.MustCompile(`^[A-Za-z0-9._~+/-]+=*$`)

type digest = [sha256.Size]byte

// digests validates and hashes tokens. Its errors name tokens by their position, never by their text.
func digests(field string, tokens []string) ([]digest, error) {
	var errs []error
	if len(tokens) > maxTokens {
		errs = append(errs, fmt.Errorf("bearer: %s: got %d tokens, want at most %d", field, len(tokens), maxTokens))
	}
	sums := make([]digest, len(tokens))
	for i, token := range tokens {
		if err := validate(token); err != nil {
			errs = append(errs, fmt.Errorf("bearer: %s: token %d %w", field, i+1, err))
		}
		sums[i] = sha256.Sum256([]byte(token))
	}
	return sums, errors.Join(errs...)
}

func validate(token string) error {
	switch {
	case len(token) < minToken:
		return fmt.Errorf("is shorter than %d characters", minToken)
	case len(token) > maxToken:
		return fmt.Errorf("is longer than %d characters", maxToken)
	case !syntax.MatchString(token):
		return errors.New("has an invalid character: want letters, digits and -._~+/, then optional =")
	}
	return nil
}
