package asynclog_test

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"testing"
	"time"

	"github.com/vitals-go/vitals/internal/asynclog"
)

func TestPluginLoggerWritesLinesOfHclog(t *testing.T) {
	var out bytes.Buffer
	log := asynclog.PluginLogger(&out)
	for level, want := range map[slog.Level]string{slog.LevelInfo: "info", slog.LevelWarn: "warn", slog.LevelError: "error"} {
		out.Reset()
		log.Log(t.Context(), level, "text", slog.Group("vitals", slog.String("msg", "inner")))
		var line map[string]any
		if err := json.Unmarshal(out.Bytes(), &line); err != nil {
			t.Fatal(err)
		}
		written, _ := line["@timestamp"].(string)
		if _, err := time.Parse("2006-01-02T15:04:05.000000Z07:00", written); err != nil {
			t.Error(err)
		}
		if inner, _ := line["vitals"].(map[string]any); line["@level"] != want || line["@message"] != "text" || inner["msg"] != "inner" {
			t.Errorf("line = %s", out.String())
		}
	}
}
