package dependency_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/vitals-go/vitals/checker/dependency"
	"github.com/vitals-go/vitals/internal/freeport"
)

// serveRedis answers the commands AUTH and PING with fixed lines.
func serveRedis(t testing.TB, replies map[string]string) string {
	return listen(t, func(conn net.Conn) {
		_ = conn.SetDeadline(time.Now().Add(time.Minute))
		r := bufio.NewReader(conn)
		for {
			words, err := readCommand(r)
			if err != nil {
				return
			}
			reply, ok := replies[strings.Join(words, " ")]
			if !ok {
				reply = "-ERR unknown command " + strings.Join(words, " ") + "\r\n"
			}
			if _, err := io.WriteString(conn, reply); err != nil {
				return
			}
		}
	})
}

// readCommand reads an array of bulk strings.
func readCommand(r *bufio.Reader) ([]string, error) {
	var count int
	if _, err := fmt.Fscanf(r, "*%d\r\n", &count); err != nil {
		return nil, err
	}
	words := make([]string, count)
	for i := range words {
		var size int
		if _, err := fmt.Fscanf(r, "$%d\r\n", &size); err != nil {
			return nil, err
		}
		word := make([]byte, size+2)
		if _, err := io.ReadFull(r, word); err != nil {
			return nil, err
		}
		words[i] = string(word[:size])
	}
	return words, nil
}

// bulk is a reply of several lines.
func bulk(lines ...string) string {
	text := strings.Join(lines, "\r\n") + "\r\n"
	return fmt.Sprintf("$%d\r\n%s\r\n", len(text), text)
}

func TestRedis(t *testing.T) {
	pong := "+PONG\r\n"
	for _, test := range []struct {
		name    string
		cfg     dependency.RedisConfig
		replies map[string]string
		want    []string
	}{
		{"open", dependency.RedisConfig{}, map[string]string{"PING": pong}, nil},
		{"password", dependency.RedisConfig{Password: "p w"}, map[string]string{"AUTH p w": "+OK\r\n", "PING": pong}, nil},
		{"user", dependency.RedisConfig{Username: "u", Password: "p"}, map[string]string{"AUTH u p": "+OK\r\n", "PING": pong}, nil},
		{"password wanted", dependency.RedisConfig{}, map[string]string{"PING": "-NOAUTH Authentication required.\r\n"}, []string{"NOAUTH", "it requires a password"}},
		{"wrong password", dependency.RedisConfig{Password: "p"}, map[string]string{"AUTH p": "-WRONGPASS invalid\r\n"}, []string{"password rejected"}},
		{"loading", dependency.RedisConfig{}, map[string]string{"PING": "-LOADING Redis is loading the dataset in memory\r\n"}, []string{"still loading its data: wait"}},
		{"no slots", dependency.RedisConfig{}, map[string]string{"PING": "-CLUSTERDOWN The cluster is down\r\n"}, []string{"look at its nodes"}},
		{"other error", dependency.RedisConfig{}, map[string]string{"PING": "-ODD thing\r\n"}, []string{"ODD thing"}},
		{"not Redis", dependency.RedisConfig{}, map[string]string{"PING": "HTTP/1.1 400 Bad Request\r\n"}, []string{"check that it is a Redis server"}},
		{"cluster", dependency.RedisConfig{Cluster: true}, map[string]string{"PING": pong, "CLUSTER INFO": bulk("cluster_state:ok")}, nil},
		{"cluster fails", dependency.RedisConfig{Cluster: true}, map[string]string{"PING": pong, "CLUSTER INFO": bulk("cluster_state:fail", "cluster_slots_ok:5461")}, []string{"cluster state fail", "5461 of 16384"}},
		{"no cluster", dependency.RedisConfig{Cluster: true}, map[string]string{"PING": pong, "CLUSTER INFO": "-ERR This instance has cluster support disabled\r\n"}, []string{"cluster support disabled"}},
		{"master", dependency.RedisConfig{Replication: true}, map[string]string{"PING": pong, "INFO replication": bulk("# Replication", "role:master")}, nil},
		{"linked", dependency.RedisConfig{Replication: true}, map[string]string{"PING": pong, "INFO replication": bulk("role:slave", "master_link_status:up")}, nil},
		{"not linked", dependency.RedisConfig{Replication: true}, map[string]string{"PING": pong, "INFO replication": bulk("role:slave", "master_link_status:down", "master_host:db")}, []string{"replication link down", "master db:"}},
		{"odd bulk", dependency.RedisConfig{Replication: true}, map[string]string{"PING": pong, "INFO replication": "$-1\r\n"}, []string{"check that it is a Redis server"}},
		{"huge bulk", dependency.RedisConfig{Replication: true}, map[string]string{"PING": pong, "INFO replication": "$999999999\r\n"}, []string{"check that it is a Redis server"}},
		{"endless", dependency.RedisConfig{}, map[string]string{"PING": strings.Repeat("x", 1<<16)}, []string{"endless line"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			test.cfg.Addr = serveRedis(t, test.replies)
			err := must(dependency.Redis(test.cfg))(patient(t))
			wantError(t, err, test.want...)
			if err != nil && test.cfg.Password != "" && strings.Contains(err.Error(), " p w") {
				t.Errorf("the error tells the password: %v", err)
			}
		})
	}
	wantError(t, must(dependency.Redis(dependency.RedisConfig{Addr: deserted(t)}))(patient(t)), "nothing listens at")
	_, err := dependency.Redis(dependency.RedisConfig{Addr: "redis", Username: "u"})
	wantError(t, err, "Addr", "Username: requires Password")
}

// statusCmd stands for the commands of go-redis.
type statusCmd struct{ err error }

func (c *statusCmd) Err() error { return c.err }

func TestCommand(t *testing.T) {
	for _, test := range []struct {
		err  error
		want []string
	}{
		{nil, nil},
		{errors.New("NOAUTH Authentication required."), []string{"it requires a password"}},
		{io.EOF, []string{"closed the connection"}},
	} {
		ping := func(context.Context) *statusCmd { return &statusCmd{test.err} }
		err := dependency.Command(ping)(t.Context())
		wantError(t, err, test.want...)
		if !errors.Is(err, test.err) {
			t.Errorf("%v does not wrap %v", err, test.err)
		}
	}
}

func TestRealRedisServer(t *testing.T) {
	path, err := exec.LookPath("redis-server")
	if err != nil {
		t.Skip("redis-server is not installed; the miniature server of the other tests has to do")
	}
	addr, dead := startRedis(t, path, "--requirepass", "secret")
	open := must(dependency.Redis(dependency.RedisConfig{Addr: addr}))
	wantError(t, open(patient(t)), "it requires a password")
	wrong := must(dependency.Redis(dependency.RedisConfig{Addr: addr, Password: "guess"}))
	wantError(t, wrong(patient(t)), "password rejected")
	right := must(dependency.Redis(dependency.RedisConfig{Addr: addr, Username: "default", Password: "secret"}))
	wantError(t, right(patient(t)))
	dead()
	wantError(t, right(patient(t)), "nothing listens at")
}

// startRedis starts a server that keeps nothing, and waits until it answers. Dead ends it.
func startRedis(t *testing.T, path string, args ...string) (addr string, dead func()) {
	t.Helper()
	free, err := freeport.Take(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	port := strconv.Itoa(free)
	addr = "127.0.0.1:" + port
	cmd := exec.Command(path, append([]string{"--port", port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", t.TempDir()}, args...)...)
	output, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := false
	dead = func() {
		if !ended {
			ended = true
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
		}
	}
	t.Cleanup(dead)
	for lines := bufio.NewScanner(output); lines.Scan(); {
		if strings.Contains(lines.Text(), "Ready to accept connections") || strings.Contains(lines.Text(), "now ready to accept") {
			return addr, dead
		}
	}
	t.Skip("redis-server does not start here: is port " + port + " taken?")
	return "", nil
}
