package vitals

import (
	"errors"
	"fmt"
	"log/slog"

	"github.com/vitals-go/vitals/servicer"
	"github.com/vitals-go/vitals/servicer/bearer"
)

// authorize completes cfg.Details with the tokens of the file.
func (cfg *Config) authorize(log *slog.Logger) error {
	return cfg.tokens(func(field string) string { return "vitals: " + field + " (" + tokenFileVariable + ")" }, log)
}

// tokens sets cfg.Details.Tokens if there is a file of them; with no log it only looks for mistakes.
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
		err = errors.Join(err, fmt.Errorf("%s: protects nothing while everybody may see details (PLUGIN_HEALTH_DETAILS=always)", field))
	}
	if cfg.Details.Tokens != nil {
		err = errors.Join(err, fmt.Errorf("%s: excludes Details.Tokens", field))
	}
	if err == nil && log != nil {
		cfg.Details.Tokens = tokens
	}
	return err
}
