package sqlstore

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"
)

//go:embed migrations
var migrationFiles embed.FS

type migration struct {
	version int64
	name    string
	sql     string
}

// migrate applies what the database lacks, in one transaction, and waits for other servers that do the same. A schema
// that is newer than this program is left alone: the program that it belongs to runs beside this one.
func (s *Store) migrate(ctx context.Context) error {
	wanted, err := migrations(s.dialect.name)
	if err != nil {
		return err
	}
	tx, err := s.write.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // Does nothing after the commit.
	if s.dialect.lock != "" {
		if _, err := tx.ExecContext(ctx, s.dialect.lock); err != nil {
			return err
		}
	}
	done, err := appliedMigrations(ctx, tx)
	if err != nil {
		return err
	}
	for _, m := range wanted {
		if slices.Contains(done, m.version) {
			continue
		}
		if _, err := tx.ExecContext(ctx, m.sql); err != nil {
			return fmt.Errorf("%s: %w", m.name, err)
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO inventory_migrations (version, name) VALUES ($1, $2)`, m.version, m.name)
		if err != nil {
			return err
		}
	}
	return tx.Commit()
}

func appliedMigrations(ctx context.Context, tx *sql.Tx) ([]int64, error) {
	_, err := tx.ExecContext(ctx,
		`CREATE TABLE IF NOT EXISTS inventory_migrations (version BIGINT PRIMARY KEY, name TEXT NOT NULL)`)
	if err != nil {
		return nil, err
	}
	rows, err := tx.QueryContext(ctx, `SELECT version FROM inventory_migrations`)
	if err != nil {
		return nil, err
	}
	return collect(rows, func(row scanner) (version int64, err error) {
		err = row.Scan(&version)
		return version, err
	})
}

// migrations returns the files of one dialect in the order of their numbers.
func migrations(dialect string) ([]migration, error) {
	files, err := fs.Glob(migrationFiles, path.Join("migrations", dialect, "*.sql"))
	if err != nil {
		return nil, err
	}
	var all []migration
	for _, file := range files {
		text, err := migrationFiles.ReadFile(file)
		if err != nil {
			return nil, err
		}
		name := path.Base(file)
		number, _, _ := strings.Cut(name, "_")
		version, err := strconv.ParseInt(number, 10, 64)
		if err != nil {
			return nil, fmt.Errorf("%s: the name must begin with a number: %w", name, err)
		}
		all = append(all, migration{version, name, string(text)})
	}
	return all, nil
}
