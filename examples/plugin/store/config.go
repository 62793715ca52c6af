package main

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/vitals-go/vitals"
	"github.com/vitals-go/vitals/checker"
	"github.com/vitals-go/vitals/checker/dependency"
)

// config is the configuration from the environment.
type config struct {
	journal string // file; empty keeps everything in memory
	origin  string // URL; empty for none
	chaos   bool
	health  vitals.Config
}

// configFromEnv reads the environment, which a plugin inherits from its host. It is the reason why vitals opens no port
// and no file here that the host has opened already.
func configFromEnv() (config, error) {
	var cfg config
	var errs [3]error
	cfg.health, errs[0] = vitals.ConfigFromEnv()
	cfg.journal = os.Getenv("KV_JOURNAL")
	cfg.origin = strings.TrimRight(os.Getenv("KV_ORIGIN_URL"), "/")
	if u, err := url.Parse(cfg.origin); cfg.origin != "" && (err != nil || u.Host == "") {
		errs[1] = errors.New("KV_ORIGIN_URL is no URL")
	}
	if text := os.Getenv("KV_CHAOS"); text != "" {
		var err error
		if cfg.chaos, err = strconv.ParseBool(text); err != nil {
			errs[2] = fmt.Errorf("KV_CHAOS: %q is neither true nor false", text)
		}
	}
	return cfg, errors.Join(errs[:]...)
}

// checks adds the store's own checks and those of its dependencies.
func (cfg *config) checks(j *journal) error {
	cfg.health.Checks = append(cfg.health.Checks, checker.Check{
		Name: "journal", Title: "Journal", Kind: checker.Process, Run: j.check,
		// It is a look at memory, and a restart cures what it finds: the host restarts a plugin that is not live.
		Gates:    []string{checker.Liveness, checker.Readiness},
		Interval: 200 * time.Millisecond, Timeout: 200 * time.Millisecond,
	})
	if cfg.origin == "" {
		return nil
	}
	ask, err := dependency.HTTP(dependency.HTTPConfig{URL: cfg.origin + "/health"})
	cfg.health.Dependencies = append(cfg.health.Dependencies, checker.Check{
		Name: "origin", Run: ask, Interval: time.Second, Timeout: 500 * time.Millisecond, FailingInterval: 200 * time.Millisecond,
	})
	return err
}
