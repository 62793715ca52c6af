package bearer

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"strings"
)

// What a token may be, in bytes. A shorter one can be guessed, a longer one is none of ours.
const (
	minToken = 16
	maxToken = 1024
)

// maxTokens bounds how many tokens are in force, because each request with a token is compared with all.
const maxTokens = 100

// Config says which tokens are in force: those listed and those in File. At least one of the two is required.
type Config struct {
	// Tokens of 16 to 1,024 characters that RFC 6750 allows: letters, digits and -._~+/, then perhaps =. Make one with
	// "openssl rand -base64 32". At most 100 together with those of File.
	Tokens []string
	// File holds tokens, one a line; empty lines are left out. It is read again, at most once a second, when a token is
	// shown and the file has changed. While it cannot be read or makes no sense, the tokens that were last read stay in
	// force, so that a token is withdrawn only by a file that is whole.
	File string
	// Logger hears of wrong tokens, once in ten seconds at most, and of a file that is no longer good. It never hears a
	// token. Default: discard.
	Logger *slog.Logger
}

type digest = [sha256.Size]byte

// digests validates tokens and returns what is kept of them. Its errors name tokens by their place, never by their text.
func digests(field string, tokens []string) ([]digest, error) {
	var errs []error
	if len(tokens) > maxTokens {
		errs = append(errs, fmt.Errorf("bearer: %s holds %d tokens, more than %d", field, len(tokens), maxTokens))
	}
	kept := make([]digest, len(tokens))
	for i, token := range tokens {
		if err := acceptable(token); err != nil {
			errs = append(errs, fmt.Errorf("bearer: token %d of %s %w", i+1, field, err))
		}
		kept[i] = sha256.Sum256([]byte(token))
	}
	return kept, errors.Join(errs...)
}

func acceptable(token string) error {
	switch {
	case token == "":
		return errors.New("is empty")
	case len(token) < minToken:
		return fmt.Errorf("is shorter than %d characters: it could be guessed", minToken)
	case len(token) > maxToken:
		return fmt.Errorf("is longer than %d characters", maxToken)
	case strings.ContainsFunc(strings.TrimRight(token, "="), func(r rune) bool { return !allowed(r) }):
		return errors.New("holds a character that no bearer token may have: only letters, digits and -._~+/ are, then =")
	}
	return nil
}

func allowed(r rune) bool {
	return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || strings.ContainsRune("-._~+/", r)
}
