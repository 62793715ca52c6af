package breaker

import (
	"context"
	"errors"
)

// errAbandoned is the cause of a failure that left no error behind.
var errAbandoned = errors.New("breaker: the call ended without a result (panic or runtime.Goexit)")

// Do calls fn if b lets it, and tells b how it went. It returns what fn returns, or an *OpenError if the call was
// turned away. fn runs on the calling goroutine with Permit.Context. A panic of fn passes through, stack and all, and
// counts as a failure.
func Do[T any](ctx context.Context, b *Breaker, fn func(context.Context) (T, error)) (T, error) {
	permit, err := b.Allow(ctx)
	if err != nil {
		var none T
		return none, err
	}
	outcome, cause := Failure, errAbandoned
	defer func() { b.record(&permit, outcome, cause) }()
	result, err := fn(permit.Context())
	outcome, cause = permit.classify(err), err
	return result, err
}
