package asynclog

import (
	"fmt"
	"io"
	"log/slog"
	"strings"
)

// PluginLogger returns the default logger of a process that a host of go-plugin has started: lines of JSON as that host reads
// them from stderr. It takes every other line for a debug message. An application that has replaced slog's own handler
// keeps it.
func PluginLogger(stderr io.Writer) *slog.Logger {
	if fmt.Sprintf("%T", slog.Default().Handler()) != "*slog.defaultHandler" {
		return slog.Default()
	}
	return slog.New(slog.NewJSONHandler(stderr, &slog.HandlerOptions{ReplaceAttr: pluginAttr}))
}

// pluginAttr names the attributes of a record as go-hclog does.
func pluginAttr(groups []string, attr slog.Attr) slog.Attr {
	if len(groups) > 0 {
		return attr
	}
	switch attr.Key {
	case slog.TimeKey:
		attr.Key, attr.Value = "@timestamp", slog.StringValue(attr.Value.Time().Format("2006-01-02T15:04:05.000000Z07:00"))
	case slog.LevelKey:
		attr.Key, attr.Value = "@level", slog.StringValue(strings.ToLower(attr.Value.String()))
	case slog.MessageKey:
		attr.Key = "@message"
	}
	return attr
}
