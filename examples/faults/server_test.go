package faults

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/vitals-go/vitals/breaker"
)

// server is a real server's process, which can be killed, frozen and started again.
type server struct {
	t       *testing.T
	command func() *exec.Cmd
	process *exec.Cmd
}

func (s *server) start() {
	s.t.Helper()
	s.process = s.command()
	if err := s.process.Start(); err != nil {
		s.t.Fatal(err)
	}
}

// signal reaches the server's children too: PostgreSQL serves each connection in a process of its own.
func (s *server) signal(sig syscall.Signal) {
	s.t.Helper()
	pid := s.process.Process.Pid
	if err := s.process.Process.Signal(sig); err != nil {
		s.t.Fatal(err)
	}
	children, _ := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", pid, pid))
	for field := range strings.FieldsSeq(string(children)) {
		if child, err := strconv.Atoi(field); err == nil {
			_ = syscall.Kill(child, sig)
		}
	}
}

// kill leaves the server no time to say goodbye.
func (s *server) kill() {
	_ = s.process.Process.Kill()
	_ = s.process.Wait()
}

// startRedis starts a Redis of its own and returns its address.
func startRedis(t *testing.T) (*server, string) {
	t.Helper()
	binary, err := exec.LookPath("redis-server")
	if err != nil {
		t.Skip("redis-server is not installed")
	}
	port := freePort(t)
	s := &server{t: t, command: func() *exec.Cmd {
		return exec.Command(binary, "--port", strconv.Itoa(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", t.TempDir())
	}}
	s.start()
	t.Cleanup(s.kill)
	return s, fmt.Sprintf("127.0.0.1:%d", port)
}

// startPostgres starts a PostgreSQL of its own and returns its URL.
func startPostgres(t *testing.T) (*server, string) {
	t.Helper()
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin")
	if len(found) == 0 {
		t.Skip("PostgreSQL is not installed in /usr/lib/postgresql")
	}
	bin := found[len(found)-1]
	dir, err := os.MkdirTemp("", "faults")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	attributes := ownerOf(t, dir)
	run := func(name string, args ...string) *exec.Cmd {
		cmd := exec.Command(filepath.Join(bin, name), args...)
		cmd.SysProcAttr, cmd.Dir = attributes, dir
		return cmd
	}
	if out, err := run("initdb", "-D", dir+"/data", "-U", "test", "--auth=trust", "--no-sync").CombinedOutput(); err != nil {
		t.Fatalf("initdb: %v\n%s", err, out)
	}
	port := freePort(t)
	s := &server{t: t, command: func() *exec.Cmd {
		return run("postgres", "-D", dir+"/data", "-p", strconv.Itoa(port), "-k", dir, "-c", "listen_addresses=127.0.0.1", "-c", "fsync=off")
	}}
	s.start()
	t.Cleanup(s.kill)
	return s, fmt.Sprintf("postgres://test@127.0.0.1:%d/postgres?sslmode=disable&connect_timeout=2", port)
}

// ownerOf makes the user postgres the owner of dir if we are root, whom PostgreSQL refuses.
func ownerOf(t *testing.T, dir string) *syscall.SysProcAttr {
	t.Helper()
	if os.Geteuid() != 0 {
		return nil
	}
	owner, err := user.Lookup("postgres")
	if err != nil {
		t.Skip("running as root, and there is no user postgres to run PostgreSQL as")
	}
	uid, err1 := strconv.Atoi(owner.Uid)
	gid, err2 := strconv.Atoi(owner.Gid)
	if err := cmp.Or(err1, err2, os.Chown(dir, uid, gid)); err != nil {
		t.Fatal(err)
	}
	return &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}
}

// freePort finds a port below the ephemeral range, so that no client connection takes it while the server is down.
func freePort(t *testing.T) int {
	t.Helper()
	for port := 20000 + os.Getpid()%8000; port < 32000; port++ {
		if lis, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port)); err == nil {
			lis.Close()
			return port
		}
	}
	t.Fatal("no free port")
	return 0
}

// eventually repeats try until it reports true.
func eventually(t *testing.T, what string, try func() bool) {
	t.Helper()
	patience := time.After(30 * time.Second)
	for !try() {
		select {
		case <-patience:
			t.Fatalf("gave up waiting: %s", what)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// drill hurts a dependency in each way and wants its breaker to open, and to close again by the check alone.
func drill(t *testing.T, s *server, b *breaker.Breaker, use, check func(context.Context) error) {
	t.Helper()
	call := func() error {
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		defer cancel()
		return use(ctx)
	}
	eventually(t, "the server to come up", func() bool { b.Reset(); return call() == nil })
	for _, fault := range []struct {
		name         string
		begin, relax func()
	}{
		{"kill", s.kill, s.start},
		{"freeze", func() { s.signal(syscall.SIGSTOP) }, func() { s.signal(syscall.SIGCONT) }},
		{"restart", func() { s.kill(); s.start() }, func() {}},
	} {
		t.Log(fault.name)
		fault.begin()
		if fault.name != "restart" {
			eventually(t, "the breaker to open after "+fault.name, func() bool { _ = call(); return b.State() == breaker.Open })
			if err := call(); !breaker.IsRejected(err) {
				t.Errorf("%s: %v, want calls to be turned away: the check probes", fault.name, err)
			}
		}
		fault.relax()
		eventually(t, "recovery by the check after "+fault.name, func() bool {
			return check(t.Context()) == nil && b.State() == breaker.Closed
		})
		eventually(t, "calls to work after "+fault.name, func() bool { return call() == nil })
	}
	if s := b.Snapshot(); s.Calls.Rejected == 0 || s.Entered[breaker.Open] < 2 {
		t.Errorf("%+v", s)
	}
}

func newBreaker(t *testing.T, name string) *breaker.Breaker {
	t.Helper()
	b, err := breaker.New(breaker.Config{
		Name: name, OpenTime: 100 * time.Millisecond, MaxOpenTime: time.Second, ProbeTimeout: time.Second, ProbeOnly: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	return b
}
