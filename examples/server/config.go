package main

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"

	"github.com/vitals-go/vitals"
)

const usage = `usage: server                      serves; configured by the environment
       server healthcheck [flags]  probes a running server; see server healthcheck -h

INVENTORY_ADDR         where to serve gRPC, default :50051
INVENTORY_DB           the SQLite file, default inventory.db in the current folder; :memory: for none
DATABASE_URL           PostgreSQL instead: postgres://user:password@host:5432/database
REDIS_URL              optional cache: redis://user:password@host:6379/0
EXTERNAL_API_URL       optional price service: http://host:port, asked for /prices/<sku>
UPSTREAM_ADDR          optional other inventory: host:port, asked for items that this one does not have
UPSTREAM_TLS_CA        file with the authority that signed its certificate; without it, no TLS to the upstream
INVENTORY_TLS_CERT     files for TLS, read again when they change;
INVENTORY_TLS_KEY        the certificate is also shown to the upstream
INVENTORY_TLS_CLIENT_CA  clients must show a certificate of this authority
INVENTORY_TESTSERVICE  true adds grpc.testing.TestService, which answers with the codes that it is asked for
OTEL_EXPORTER_OTLP_ENDPOINT  metrics, with exemplars, and traces go there; the other OTEL_* variables count too
OTEL_EXPORTER_OTLP_PROTOCOL  grpc (the default if the endpoint's port is 4317) or http/protobuf (otherwise)
OTEL_METRICS_EXEMPLAR_FILTER  always_off keeps trace ids out of the histograms, default trace_based
PLUGIN_*               health: see the documentation of vitals.ConfigFromEnv`

// config is the configuration from the environment.
type config struct {
	addr        string
	sqlite      string
	postgres    string
	redis       string
	prices      string
	upstream    string
	tls         *tls.Config // nil without TLS
	upstreamTLS *tls.Config // nil without TLS
	testService bool
	health      vitals.Config
}

// configFromEnv reads the environment and reports every mistake in it, each by the name of its variable.
func configFromEnv() (config, error) {
	var (
		cfg config
		err mistakes
	)
	cfg.addr = variable("INVENTORY_ADDR", ":50051")
	if _, _, bad := net.SplitHostPort(cfg.addr); bad != nil {
		err.add("INVENTORY_ADDR", fmt.Errorf("%q is not of the form host:port or :port", cfg.addr))
	}
	cfg.sqlite = variable("INVENTORY_DB", "inventory.db")
	cfg.postgres = variable("DATABASE_URL", "")
	cfg.redis = variable("REDIS_URL", "")
	cfg.prices = variable("EXTERNAL_API_URL", "")
	cfg.upstream = variable("UPSTREAM_ADDR", "")

	testService, bad := strconv.ParseBool(strings.ToLower(variable("INVENTORY_TESTSERVICE", "false")))
	if bad != nil {
		err.add("INVENTORY_TESTSERVICE", errors.New("is neither true nor false"))
	}
	cfg.testService = testService

	cfg.tls = serverTLS(&err)
	cfg.upstreamTLS = upstreamTLS(&err, cfg.tls)
	cfg.health, bad = vitals.ConfigFromEnv()
	err.join(bad)
	return cfg, err.all()
}

// variable returns a variable of the environment. An empty one is as good as none.
func variable(name, fallback string) string {
	if value := strings.TrimSpace(os.Getenv(name)); value != "" {
		return value
	}
	return fallback
}

// mistakes collects errors, so that they can be mended all at once.
type mistakes []error

func (m *mistakes) add(variable string, err error) {
	if err != nil {
		m.join(fmt.Errorf("%s: %w", variable, err))
	}
}

func (m *mistakes) join(err error) { *m = append(*m, err) }

func (m *mistakes) all() error { return errors.Join(*m...) }
