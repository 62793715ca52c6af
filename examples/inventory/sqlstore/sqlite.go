package sqlstore

import (
	"context"
	"crypto/rand"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// Memory is the path of an SQLite database that lives as long as its Store and has no file.
const Memory = ":memory:"

// SQLite returns a store in the file at path, which is created when the store is first used, or in Memory. Several
// processes on one machine may share a file.
func SQLite(path string, guard Guard) (*Store, error) {
	if path == "" {
		return nil, errors.New("sqlstore: the path of the database file is empty")
	}
	connector, err := sqlite.NewConnector(sqliteName(path))
	if err != nil {
		return nil, err
	}
	if connector, err = guard.wrap(patient{connector}); err != nil {
		return nil, err
	}
	// One connection writes: waiting for it in line is fairer and faster than polling for SQLite's file lock.
	write := sql.OpenDB(connector)
	write.SetMaxOpenConns(1)
	read := write
	if path != Memory {
		read = sql.OpenDB(connector)
		read.SetMaxOpenConns(8)
		read.SetMaxIdleConns(8)
	}
	return &Store{read: read, write: write, dialect: sqliteDialect()}, nil
}

// busyTimeout is how long a connection waits for what another one has locked.
const busyTimeout = 2 * time.Second

// patient is a connector that retries while another connection switches the same new file to WAL mode. SQLite itself
// does not wait for that, whatever the timeout, because two such connections would deadlock.
type patient struct{ driver.Connector }

// Connect implements driver.Connector.
func (p patient) Connect(ctx context.Context) (driver.Conn, error) {
	for began := time.Now(); ; {
		conn, err := p.Connector.Connect(ctx)
		if sqliteCode(err)&0xff != sqlite3.SQLITE_BUSY || time.Since(began) > busyTimeout {
			return conn, err
		}
		again := time.NewTimer(5 * time.Millisecond)
		select {
		case <-again.C:
		case <-ctx.Done():
			again.Stop()
			return nil, ctx.Err()
		}
	}
}

// sqliteName builds the URI of a database: readers do not wait for the writer (WAL), a commit survives a crash of
// the process, and a transaction locks when it begins rather than failing in the middle.
func sqliteName(path string) string {
	options := url.Values{
		"_txlock": {"immediate"},
		"_pragma": {fmt.Sprintf("busy_timeout(%d)", busyTimeout.Milliseconds()), "journal_mode(WAL)", "synchronous(NORMAL)"},
	}
	if path == Memory {
		// A name of its own: two stores in one process do not share what they remember.
		options.Set("vfs", "memdb")
		path = "/" + rand.Text()
	}
	// In a URI, these three would end the path or begin an escape.
	path = strings.NewReplacer("%", "%25", "?", "%3f", "#", "%23").Replace(path)
	return "file:" + path + "?" + options.Encode()
}

func sqliteDialect() dialect {
	return dialect{
		name:        "sqlite",
		probe:       `SELECT identity, false FROM inventory_head`,
		unavailable: sqliteUnavailable,
		schemaMissing: func(err error) bool {
			return sqliteCode(err) == sqlite3.SQLITE_ERROR && strings.Contains(err.Error(), "no such table")
		},
	}
}

func sqliteUnavailable(err error) bool {
	switch sqliteCode(err) & 0xff { // The low byte is the primary code.
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_FULL, sqlite3.SQLITE_CANTOPEN,
		sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PROTOCOL, sqlite3.SQLITE_INTERRUPT, sqlite3.SQLITE_PERM,
		sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT:
		return true
	}
	return errors.Is(err, driver.ErrBadConn) || errors.Is(err, sql.ErrConnDone)
}

func sqliteCode(err error) int {
	if failed, ok := errors.AsType[*sqlite.Error](err); ok {
		return failed.Code()
	}
	return 0
}
