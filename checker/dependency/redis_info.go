package dependency

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/vitals-go/vitals/checker"
)

// maxInfo bounds a reply with several lines, in bytes.
const maxInfo = 64 << 10

// info sends a command and returns the fields of its reply, one "name:value" a line.
func (cfg RedisConfig) info(conn io.Writer, replies *bufio.Reader, command ...string) (map[string]string, error) {
	header, err := cfg.line(conn, replies, command...)
	if err != nil {
		return nil, err
	}
	digits, isBulk := strings.CutPrefix(header, "$")
	size, err := strconv.Atoi(digits)
	if !isBulk || err != nil || size < 0 || size > maxInfo {
		return nil, cfg.unexpected(header, command...)
	}
	text := make([]byte, size+len("\r\n"))
	if _, err := io.ReadFull(replies, text); err != nil {
		return nil, explain(err, cfg.Addr)
	}
	fields := map[string]string{}
	for line := range strings.Lines(string(text)) {
		if name, value, found := strings.Cut(strings.TrimSpace(line), ":"); found {
			fields[name] = value
		}
	}
	return fields, nil
}

func (cfg RedisConfig) checkCluster(conn io.Writer, replies *bufio.Reader) error {
	info, err := cfg.info(conn, replies, "CLUSTER", "INFO")
	switch {
	case err != nil:
		return err
	case info["cluster_enabled"] == "0" || info["cluster_state"] == "":
		return fmt.Errorf("%s is not part of a cluster", cfg.Addr)
	case info["cluster_state"] != "ok":
		return checker.Failed("cluster state "+info["cluster_state"], fmt.Errorf("%s: %s of 16384 slots are ok, %s nodes are known",
			cfg.Addr, info["cluster_slots_ok"], info["cluster_known_nodes"]))
	}
	return nil
}

func (cfg RedisConfig) checkReplication(ctx context.Context, conn io.Writer, replies *bufio.Reader) error {
	info, err := cfg.info(conn, replies, "INFO", "replication")
	switch {
	case err != nil:
		return err
	case info["role"] == "":
		return errors.New(cfg.Addr + " has no role: check that it is a Redis server")
	case info["role"] == "master":
		return nil
	case info["master_link_status"] != "up":
		return checker.Failed("replication link "+info["master_link_status"], fmt.Errorf("%s has no link to its master %s:%s",
			cfg.Addr, info["master_host"], info["master_port"]))
	}
	if lag, err := strconv.ParseFloat(info["master_last_io_seconds_ago"], 64); err == nil {
		checker.SetValue(ctx, "replication_lag", lag, "s")
	}
	return nil
}
