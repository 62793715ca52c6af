package bearer

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"log/slog"
	"strings"
)

// Tokens are those in force. Create it with New; give it to servicer.Details.
type Tokens struct {
	listed []digest
	file   *file // nil if there is none
	tries  *tries
	alarm  alarm
	log    *slog.Logger
}

// New returns the tokens that config names, having read its file, or an error that tells every mistake and no token.
func New(config Config) (*Tokens, error) {
	log := config.Logger
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	t := &Tokens{tries: newTries(), log: log}
	var err, fileErr error
	t.listed, err = digests("Tokens", config.Tokens)
	if config.File != "" {
		t.file, fileErr = openFile(config.File)
	}
	if len(config.Tokens) == 0 && config.File == "" {
		err = errors.New("bearer: Config needs Tokens, File or both")
	}
	if err := errors.Join(err, fileErr); err != nil {
		return nil, err
	}
	return t, nil
}

// Allow reports whether a request from address, with header, shows a token that is in force. Names of headers are
// compared without regard to case; a request with two Authorization headers shows none.
func (t *Tokens) Allow(ctx context.Context, address string, header map[string][]string) bool {
	token, shown := credentials(header)
	if !shown {
		return false
	}
	source := sourceOf(address)
	if !t.tries.left(source) {
		t.alarm.wrong(ctx, t.log, source)
		return false
	}
	if len(token) <= maxToken && t.matches(ctx, token) {
		return true
	}
	t.tries.spend(source)
	t.alarm.wrong(ctx, t.log, source)
	return false
}

// matches compares with every token, so that the time says neither which one fits nor how well.
func (t *Tokens) matches(ctx context.Context, token string) bool {
	sum := sha256.Sum256([]byte(token))
	found := 0
	for i := range t.listed {
		found |= subtle.ConstantTimeCompare(sum[:], t.listed[i][:])
	}
	if t.file != nil {
		for _, d := range t.file.digests(ctx, t.log) {
			found |= subtle.ConstantTimeCompare(sum[:], d[:])
		}
	}
	return found == 1
}

// credentials returns the token of a request, and whether it has one.
func credentials(header map[string][]string) (token string, shown bool) {
	for name, values := range header {
		if !strings.EqualFold(name, "authorization") {
			continue
		}
		if shown || len(values) != 1 {
			return "", false
		}
		scheme, rest, _ := strings.Cut(values[0], " ")
		token = strings.Trim(rest, " ")
		shown = strings.EqualFold(scheme, "bearer") && token != ""
		if !shown {
			return "", false
		}
	}
	return token, shown
}
