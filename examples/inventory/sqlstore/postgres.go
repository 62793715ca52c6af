package sqlstore

import (
	"database/sql"
	"database/sql/driver"
	"errors"
	"io"
	"net"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
)

// ErrURL is the error for an invalid PostgreSQL URL. It omits the reason, which may quote the password.
var ErrURL = errors.New("is not of the form postgres://user:password@host:5432/database")

// Postgres returns a store in the database at url, which may also be a libpq connection string. It fails only when
// the url cannot be understood, and connects when the store is first used.
func Postgres(url string, guard Guard) (*Store, error) {
	config, err := pgx.ParseConfig(url)
	if err != nil {
		return nil, ErrURL
	}
	if config.ConnectTimeout == 0 {
		config.ConnectTimeout = 3 * time.Second
	}
	if config.RuntimeParams["application_name"] == "" {
		config.RuntimeParams["application_name"] = "inventory"
	}
	connector, err := guard.wrap(stdlib.GetConnector(*config))
	if err != nil {
		return nil, err
	}
	db := sql.OpenDB(connector)
	db.SetMaxOpenConns(16)
	db.SetMaxIdleConns(16)
	db.SetConnMaxIdleTime(5 * time.Minute)
	db.SetConnMaxLifetime(time.Hour) // So that a load balancer in between gets to share out anew.
	return &Store{read: db, write: db, dialect: postgres()}, nil
}

func postgres() dialect {
	return dialect{
		name: "postgres",
		// The number is "inventor" in ASCII; advisory locks of one database share a namespace.
		lock:          `SELECT pg_advisory_xact_lock(x'696e76656e746f72'::bigint)`,
		probe:         `SELECT identity, current_setting('transaction_read_only')::boolean FROM inventory_head`,
		unavailable:   postgresUnavailable,
		schemaMissing: func(err error) bool { return sqlState(err) == "42P01" }, // undefined_table
	}
}

// postgresUnavailable reports whether an error is temporary: by its SQLSTATE class, or because there was no response.
func postgresUnavailable(err error) bool {
	if state := sqlState(err); state != "" {
		switch state[:2] {
		case "08", "53", "57", "58": // connection, resources, operator's intervention (shutdown, cancel), system error
			return true
		case "28", "3D": // authentication and the database's name: configuration, which may be fixed there
			return true
		}
		return state == "25006" || state == "40001" || state == "40P01" || state == "55P03" // read-only, serialisation, lock
	}
	_, network := errors.AsType[net.Error](err)
	_, connect := errors.AsType[*pgconn.ConnectError](err)
	return network || connect || pgconn.SafeToRetry(err) || brokenConnection(err)
}

func sqlState(err error) string {
	if pg, ok := errors.AsType[*pgconn.PgError](err); ok && len(pg.Code) == 5 {
		return pg.Code
	}
	return ""
}

func brokenConnection(err error) bool {
	return errors.Is(err, driver.ErrBadConn) || errors.Is(err, sql.ErrConnDone) || errors.Is(err, net.ErrClosed) ||
		errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
}
