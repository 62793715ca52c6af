package testdeps

import (
	"database/sql"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // The driver with which the server is asked whether it is up.
)

// Postgres is a PostgreSQL server of the test's own.
type Postgres struct {
	*Process

	t        testing.TB
	binaries string
	folder   string
	port     int
}

// NewPostgres starts a PostgreSQL server with an empty cluster. PostgreSQL refuses to run as root, so a test that
// does runs it as the user postgres.
func NewPostgres(t testing.TB) *Postgres {
	t.Helper()
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/postgres") // The pattern is well-formed.
	if path, err := exec.LookPath("postgres"); err == nil {
		found = append([]string{path}, found...)
	}
	if len(found) == 0 {
		t.Skip("PostgreSQL is not installed: no postgres in the PATH nor in /usr/lib/postgresql/*/bin")
	}
	slices.Sort(found)
	// Not t.TempDir: the parents of that one belong to us alone, and the server may be somebody else.
	folder, err := os.MkdirTemp("", "inventory-postgres-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(folder) })
	pg := &Postgres{t: t, binaries: filepath.Dir(found[len(found)-1]), folder: folder, port: Port(t)}
	initdb := pg.command("initdb", "--pgdata", folder, "--username", "inventory", "--auth", "trust", "--no-sync",
		"--encoding", "UTF8", "--locale", "C")
	if attr := initdb.SysProcAttr; attr != nil {
		if err := os.Chown(folder, int(attr.Credential.Uid), int(attr.Credential.Gid)); err != nil {
			t.Fatal(err)
		}
	}
	if output, err := initdb.CombinedOutput(); err != nil {
		t.Fatalf("initdb: %v\n%s", err, output)
	}
	pg.Start()
	return pg
}

// Start starts the server and waits until it answers.
func (pg *Postgres) Start() {
	pg.t.Helper()
	pg.Process = Start(pg.t, pg.command("postgres", "-D", pg.folder, "-p", strconv.Itoa(pg.port),
		"-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=", "-c", "fsync=off"))
	Eventually(pg.t, 30*time.Second, func() error { return pg.exec("SELECT 1") })
}

// Stop ends the server and all its connections at once, as a crash would.
func (pg *Postgres) Stop() { pg.end(syscall.SIGQUIT) }

// URL returns the address of a database in the server; "postgres" is always there.
func (pg *Postgres) URL(database string) string {
	return fmt.Sprintf("postgres://inventory:secret@%s/%s?sslmode=disable", Addr(pg.port), database)
}

// Database makes a new database and returns its URL.
func (pg *Postgres) Database() string {
	pg.t.Helper()
	name := fmt.Sprintf("test_%d", time.Now().UnixNano())
	if err := pg.exec("CREATE DATABASE " + name); err != nil {
		pg.t.Fatal(err)
	}
	return pg.URL(name)
}

func (pg *Postgres) exec(statement string) error {
	db, err := sql.Open("pgx", pg.URL("postgres")+"&connect_timeout=2")
	if err != nil {
		return err
	}
	defer db.Close()
	_, err = db.ExecContext(pg.t.Context(), statement)
	return err
}

// command prepares one of PostgreSQL's programs, to be run as the user postgres if we are root.
func (pg *Postgres) command(name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(untilKilled(pg.t), filepath.Join(pg.binaries, name), args...)
	cmd.Dir = pg.folder
	cmd.Env = append(slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "PG") }), "LC_ALL=C")
	if os.Getuid() != 0 {
		return cmd
	}
	account, err := user.Lookup("postgres")
	if err != nil {
		pg.t.Skipf("PostgreSQL does not run as root, and there is no user postgres: %v", err)
	}
	uid, uidErr := strconv.ParseUint(account.Uid, 10, 32)
	gid, gidErr := strconv.ParseUint(account.Gid, 10, 32)
	if uidErr != nil || gidErr != nil {
		pg.t.Skipf("the user postgres has odd numbers: %q, %q", account.Uid, account.Gid)
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}
	return cmd
}
