package bearer

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"regexp"
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
	// File is a file with one token per line; empty lines are ignored. It is reloaded when a caller sends a token and the
	// file has changed, at most once a second. The previous tokens stay valid while it is unreadable or invalid. At most
	// 100 tokens.
	File string
	// Logger receives an error when File cannot be reloaded, without any token. Default: slog.Default().
	Logger *slog.Logger
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
