// Package prelude declares what the pages' fragments use without declaring it.
package prelude

import (
	"context"
	"database/sql"
	"net"
	"time"

	"github.com/hashicorp/go-plugin"
	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/grpc"

	"github.com/vitals-go/vitals"
	"github.com/vitals-go/vitals/breaker"
	"github.com/vitals-go/vitals/checker"
	"github.com/vitals-go/vitals/interceptor"
)

var (
	ctx context.Context
	db  *sql.DB
	lis net.Listener
)

var cfg vitals.Config

var b *breaker.Breaker

var conn *grpc.ClientConn

var collector prometheus.Collector

var recorder *interceptor.Recorder

func pingSearch(context.Context) error { return nil }

var shop shopPackage

type shopPackage struct{}

func (shopPackage) RegisterOrdersServer(grpc.ServiceRegistrar, any) {}

var orders any

type Order struct{}

var payments paymentsClient

type paymentsClient struct{}

func (paymentsClient) Charge(context.Context, any) (*Order, error) { return nil, nil }
func (paymentsClient) Ping(context.Context) error                  { return nil }

var cart any

var shake plugin.HandshakeConfig

var plugins map[string]plugin.Plugin

func readIndex(context.Context) (pending int, age time.Duration, err error) { return 0, 0, nil }

func countConsumers(context.Context) (checker.Measurement, error) { return checker.Measurement{}, nil }

func countPending(context.Context) (checker.Measurement, error) { return checker.Measurement{}, nil }

func replicationLag(context.Context) (time.Duration, error) { return 0, nil }

var (
	importErr error
	rows      int
	took      time.Duration
)

func checkOrders(context.Context) error { return nil }
