package servicer

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
)

// Setting is one field of the configuration of a process.
type Setting struct {
	// Name is the path of the field, such as DrainDelay or Resources.CPU.
	Name string
	// Value is text; empty for the default that the field documents, "set" for what is no plain value or secret.
	Value string
	// Origin is default, code, environment or override.
	Origin string
	// Variable is that of the environment.
	Variable string
}

// configHash returns a short hash of the names and values of settings, empty without any.
func configHash(settings []Setting) string {
	if len(settings) == 0 {
		return ""
	}
	var text strings.Builder
	for _, s := range settings {
		text.WriteString(s.Name + "\x00" + s.Value + "\x00")
	}
	sum := sha256.Sum256([]byte(text.String()))
	return hex.EncodeToString(sum[:6])
}

// allSettings returns settings and what the override in force changes.
func (in *inputs) allSettings(settings []Setting) []Setting {
	if in.override == nil || len(settings) == 0 {
		return settings
	}
	return append(slices.Clip(settings),
		Setting{Name: "optional", Value: strings.Join(in.override.optional, ", "), Origin: metricOverride},
		Setting{Name: "maintenance", Value: strings.Join(in.override.maintenance, ", "), Origin: metricOverride})
}
