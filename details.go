package vitals

import (
	"errors"
	"fmt"
	"log/slog"

	"github.com/vitals-go/vitals/servicer"
	"github.com/vitals-go/vitals/servicer/bearer"
)

// authorize adds the tokens of the file to cfg.Details.
func (cfg *Config) authorize(log *slog.Logger) error {
	return cfg.tokens(func(field string) string { return "vitals: " + field + " (" + tokenFileVariable + ")" }, log)
}

// tokens sets cfg.Details.Tokens if there is a token file; without a log it only checks for mistakes.
func (cfg *Config) tokens(name func(field string) string, log *slog.Logger) error {
	if cfg.DetailsTokenFile == "" {
		return nil
	}
	field := name("DetailsTokenFile")
	tokens, err := bearer.New(bearer.Config{File: cfg.DetailsTokenFile, Logger: log})
	if err != nil {
		err = fmt.Errorf("%s: %w", field, err)
	}
	if cfg.Details.Policy == servicer.DetailsAlways && cfg.Details.Authorize == nil {
		err = errors.Join(err, fmt.Errorf("%s: has no effect while every caller sees details (PLUGIN_HEALTH_DETAILS=always)", field))
	}
	if cfg.Details.Tokens != nil {
		err = errors.Join(err, fmt.Errorf("%s: only one of it and Details.Tokens can be set", field))
	}
	if err == nil && log != nil {
		cfg.Details.Tokens = tokens
	}
	return err
}
