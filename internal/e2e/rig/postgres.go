package rig

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // The driver with which the server is asked whether it is up.
)

// ErrMissing says that a program is not installed, or cannot be run here.
var ErrMissing = errors.New("not installed")

// Postgres is a PostgreSQL server of its maker's own.
type Postgres struct {
	*Process

	binaries string
	folder   string
	port     int
}

// NewPostgres starts a PostgreSQL server with an empty cluster. PostgreSQL refuses to run as root, so root runs it as
// the user postgres. The error wraps ErrMissing if there is no PostgreSQL.
func NewPostgres(ctx context.Context) (*Postgres, error) {
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/postgres") // The pattern is well-formed.
	if path, err := exec.LookPath("postgres"); err == nil {
		found = append([]string{path}, found...)
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("PostgreSQL is %w: no postgres in the PATH nor in /usr/lib/postgresql/*/bin", ErrMissing)
	}
	slices.Sort(found)
	port, err := Port(ctx)
	if err != nil {
		return nil, err
	}
	// In nobody's private folder: the server may be somebody else.
	folder, err := os.MkdirTemp("", "inventory-postgres-")
	if err != nil {
		return nil, err
	}
	pg := &Postgres{binaries: filepath.Dir(found[len(found)-1]), folder: folder, port: port}
	if err := pg.init(ctx); err != nil {
		pg.Close()
		return nil, err
	}
	if err := pg.Start(ctx); err != nil {
		pg.Close()
		return nil, err
	}
	return pg, nil
}

// init makes an empty cluster, or copies the one that the first call has kept in the user's cache folder.
func (pg *Postgres) init(ctx context.Context) error {
	kept, unlock, err := cacheFolder("postgres", pg.binaries)
	if err != nil {
		return err
	}
	defer unlock()
	template := filepath.Join(kept, "cluster")
	if _, err := os.Stat(template); err == nil {
		return copyAll(ctx, template, pg.folder)
	}
	if err := pg.initdb(ctx); err != nil {
		return err
	}
	unfinished := template + ".new"
	return errors.Join(os.RemoveAll(unfinished), os.Mkdir(unfinished, 0o700), copyAll(ctx, pg.folder, unfinished), os.Rename(unfinished, template))
}

// copyAll copies what is in a folder, with owners and modes, which the copy takes over, too.
func copyAll(ctx context.Context, from, to string) error {
	if output, err := exec.CommandContext(ctx, "cp", "-a", from+"/.", to).CombinedOutput(); err != nil {
		return fmt.Errorf("cp: %w\n%s", err, output)
	}
	return nil
}

func (pg *Postgres) initdb(ctx context.Context) error {
	initdb, err := pg.command(ctx, "initdb", "--pgdata", pg.folder, "--username", "inventory", "--auth", "trust", "--no-sync",
		"--encoding", "UTF8", "--locale", "C")
	if err != nil {
		return err
	}
	if attr := initdb.SysProcAttr; attr != nil {
		if err := os.Chown(pg.folder, int(attr.Credential.Uid), int(attr.Credential.Gid)); err != nil {
			return err
		}
	}
	if output, err := initdb.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w\n%s", err, output)
	}
	return nil
}

// Start starts the server and waits until it answers.
func (pg *Postgres) Start(ctx context.Context) error {
	cmd, err := pg.command(ctx, "postgres", "-D", pg.folder, "-p", strconv.Itoa(pg.port),
		"-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=", "-c", "fsync=off")
	if err != nil {
		return err
	}
	if pg.Process, err = Start(cmd); err != nil {
		return err
	}
	return Eventually(ctx, 30*time.Second, func() error { return pg.exec(ctx, "SELECT 1") })
}

// Stop ends the server and all its connections at once, as a crash would.
func (pg *Postgres) Stop() { pg.End(syscall.SIGQUIT) }

// Standby restarts the server as a standby, which is read-only.
func (pg *Postgres) Standby(ctx context.Context) error {
	pg.Stop()
	if err := os.WriteFile(filepath.Join(pg.folder, "standby.signal"), nil, 0o644); err != nil { //nolint:gosec // The user postgres reads it.
		return err
	}
	return pg.Start(ctx)
}

// Close ends the server for good and removes its data.
func (pg *Postgres) Close() {
	if pg.Process != nil {
		pg.Thaw()
		pg.Stop()
	}
	_ = os.RemoveAll(pg.folder)
}

// Addr is where the server listens.
func (pg *Postgres) Addr() string { return Addr(pg.port) }

// URL returns the address of a database in the server; "postgres" is always there.
func (pg *Postgres) URL(database string) string { return PostgresURL(pg.Addr(), database) }

// PostgresURL is the URL of a database in the server that is reached at addr, such as a proxy's.
func PostgresURL(addr, database string) string {
	return fmt.Sprintf("postgres://inventory:secret@%s/%s?sslmode=disable", addr, database)
}

// Database makes a new database and returns its name.
func (pg *Postgres) Database(ctx context.Context) (string, error) {
	name := fmt.Sprintf("test_%d", time.Now().UnixNano())
	return name, pg.exec(ctx, "CREATE DATABASE "+name)
}

func (pg *Postgres) exec(ctx context.Context, statement string) error {
	db, err := sql.Open("pgx", pg.URL("postgres")+"&connect_timeout=2")
	if err != nil {
		return err
	}
	defer db.Close()
	_, err = db.ExecContext(ctx, statement)
	return err
}

// command prepares one of PostgreSQL's programs, to be run as the user postgres if we are root. It does not end with
// ctx: End ends it.
func (pg *Postgres) command(ctx context.Context, name string, args ...string) (*exec.Cmd, error) {
	cmd := exec.CommandContext(context.WithoutCancel(ctx), filepath.Join(pg.binaries, name), args...)
	cmd.Dir = pg.folder
	cmd.Env = append(slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "PG") }), "LC_ALL=C")
	if os.Getuid() != 0 {
		return cmd, nil
	}
	account, err := user.Lookup("postgres")
	if err != nil {
		return nil, fmt.Errorf("PostgreSQL is %w for root, and there is no user postgres: %w", ErrMissing, err)
	}
	uid, uidErr := strconv.ParseUint(account.Uid, 10, 32)
	gid, gidErr := strconv.ParseUint(account.Gid, 10, 32)
	if uidErr != nil || gidErr != nil {
		return nil, fmt.Errorf("%w: the user postgres has odd numbers: %q, %q", ErrMissing, account.Uid, account.Gid)
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}
	return cmd, nil
}
