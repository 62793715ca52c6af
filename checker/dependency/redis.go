package dependency

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"strings"
)

// RedisConfig configures Redis.
type RedisConfig struct {
	// Addr is as in TCPConfig. Required.
	Addr string
	// Username and Password log in before the ping. Default: no login; without Username the default user.
	Username, Password string
	// TLS secures the connection. Default nil: plain.
	TLS *tls.Config
	// Cluster requires that the server's cluster is complete: cluster_state:ok in CLUSTER INFO.
	Cluster bool
	// Replication requires that a replica is linked to its master (INFO replication), and reports replication_lag, the seconds
	// since it last heard of it. A master passes.
	Replication bool
}

// Redis returns a function that connects to a server of the Redis protocol and sends PING, and what Cluster and Replication
// need. With a client library, use Command, which takes the program's own connections.
func Redis(cfg RedisConfig) (func(context.Context) error, error) {
	mistakes := []error{resolve("RedisConfig.Addr", &cfg.Addr)}
	if cfg.Username != "" && cfg.Password == "" {
		mistakes = append(mistakes, errors.New("dependency: RedisConfig.Username: requires Password"))
	}
	if err := errors.Join(mistakes...); err != nil {
		return nil, err
	}
	return cfg.run, nil
}

// Command adapts a client's method that returns a command with its error inside, as in go-redis: Command(client.Ping).
func Command[C interface{ Err() error }](command func(context.Context) C) func(context.Context) error {
	return func(ctx context.Context) error {
		err := command(ctx).Err()
		if err == nil {
			return nil
		}
		if hint := hintRedis(err.Error()); hint != "" {
			return fmt.Errorf("%w: %s", err, hint)
		}
		return explain(err, "the server")
	}
}

func (cfg RedisConfig) run(ctx context.Context) error {
	conn, release, err := dial(ctx, cfg.Addr, cfg.TLS)
	if err != nil {
		return explain(err, cfg.Addr)
	}
	defer release()
	replies := bufio.NewReaderSize(conn, maxReply)
	switch {
	case cfg.Username != "":
		err = cfg.command(conn, replies, "+OK", "AUTH", cfg.Username, cfg.Password)
	case cfg.Password != "":
		err = cfg.command(conn, replies, "+OK", "AUTH", cfg.Password)
	}
	if err != nil {
		return err
	}
	if err := cfg.command(conn, replies, "+PONG", "PING"); err != nil {
		return err
	}
	if cfg.Cluster {
		err = cfg.checkCluster(conn, replies)
	}
	if err == nil && cfg.Replication {
		err = cfg.checkReplication(ctx, conn, replies)
	}
	return err
}

// maxReply is longer than any reply of a Redis server to these commands.
const maxReply = 1024

// command sends one command and reads one line in reply. The protocol is at https://redis.io/docs/latest/develop/reference/protocol-spec/.
func (cfg RedisConfig) command(conn io.Writer, replies *bufio.Reader, want string, command ...string) error {
	reply, err := cfg.line(conn, replies, command...)
	if err != nil || reply == want {
		return err
	}
	return cfg.unexpected(reply, command...)
}

// line sends one command and returns the first line of the reply.
func (cfg RedisConfig) line(conn io.Writer, replies *bufio.Reader, command ...string) (string, error) {
	var request bytes.Buffer
	fmt.Fprintf(&request, "*%d\r\n", len(command))
	for _, word := range command {
		fmt.Fprintf(&request, "$%d\r\n%s\r\n", len(word), word)
	}
	if _, err := conn.Write(request.Bytes()); err != nil {
		return "", explain(err, cfg.Addr)
	}
	line, err := replies.ReadSlice('\n')
	if errors.Is(err, bufio.ErrBufferFull) {
		return "", fmt.Errorf("%s answers %s with an endless line: check that it is a Redis server", cfg.Addr, command[0])
	}
	if err != nil {
		return "", explain(err, cfg.Addr)
	}
	return strings.TrimRight(string(line), "\r\n"), nil
}

// unexpected returns the error for a reply.
func (cfg RedisConfig) unexpected(reply string, command ...string) error {
	text, isError := strings.CutPrefix(reply, "-")
	if !isError {
		return fmt.Errorf("%s answers %s with %q: check that it is a Redis server", cfg.Addr, command[0], reply)
	}
	if hint := hintRedis(text); hint != "" {
		text += ": " + hint
	}
	return fmt.Errorf("%s answers %s: %s", cfg.Addr, command[0], text)
}

// hintRedis returns a hint for the errors of a server that is not ready or rejects the client.
func hintRedis(text string) string {
	for _, known := range []struct{ prefix, hint string }{
		{"NOAUTH", "it requires a password: set it"},
		{"WRONGPASS", "password rejected: check it"},
		{"ERR AUTH", "it has no password set: leave ours out, or set it there"},
		{"NOPERM", "this user may not send the command: allow it +ping"},
		{"LOADING", "it is still loading its data: wait"},
		{"MASTERDOWN", "this replica has lost its master: check the master"},
		{"CLUSTERDOWN", "the cluster misses slots: look at its nodes"},
		{"DENIED", "it is in protected mode: bind it to an address and set a password"},
		{"ERR max number of clients", "it has no free connection: raise maxclients, or close idle clients"},
	} {
		if strings.HasPrefix(text, known.prefix) {
			return known.hint
		}
	}
	return ""
}
