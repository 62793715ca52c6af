package redisbreaker

import (
	"errors"
	"strings"

	"github.com/vitals-go/vitals/breaker"
)

// Config configures a Limiter.
type Config struct {
	// Breaker protects all commands and handshakes. Required.
	Breaker *breaker.Breaker
	// Classify returns the outcome of a command. Default: Classify.
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

// Classify is the default of Config.Classify: see Outcomes in the package documentation.
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

// classifyReply returns Failure if the server cannot serve, Success if it only rejects the command.
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
