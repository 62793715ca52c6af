package redisbreaker

import (
	"errors"
	"strings"

	"github.com/vitals-go/vitals/breaker"
)

// Config says what guards a client.
type Config struct {
	// Breaker guards every command and every connection's handshake. Required.
	Breaker *breaker.Breaker
	// Classify judges what the client reports. Default: Classify, see the package documentation.
	Classify func(error) breaker.Outcome
}

// New returns a Limiter. It starts nothing.
func New(cfg Config) (*Limiter, error) {
	if cfg.Breaker == nil {
		return nil, errors.New("redisbreaker: Breaker is required")
	}
	if cfg.Classify == nil {
		cfg.Classify = Classify
	}
	return &Limiter{cfg: cfg}, nil
}

// Classify is the default classifier: see the package documentation.
func Classify(err error) breaker.Outcome {
	if err == nil {
		return breaker.Success
	}
	if reply, ok := errors.AsType[interface {
		error
		RedisError()
	}](err); ok {
		return classifyReply(reply.Error())
	}
	switch err.Error() {
	case "redis: connection pool timeout", "redis: client is closed":
		return breaker.Neutral
	default:
		return breaker.DefaultClassify(err)
	}
}

// classifyReply tells a server that cannot serve from one that does not like the command.
func classifyReply(text string) breaker.Outcome {
	for _, prefix := range [...]string{
		"LOADING ", "CLUSTERDOWN ", "MASTERDOWN ", "TRYAGAIN ", "ERR max number of clients reached",
	} {
		if strings.HasPrefix(text, prefix) {
			return breaker.Failure
		}
	}
	return breaker.Success
}
