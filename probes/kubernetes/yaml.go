package kubernetes

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"unicode"
)

// YAML writes the container's part, for a template that indents it as it needs.
func (c Container) YAML() []byte { return toYAML(c) }

// toYAML writes a value that JSON can hold as block-style YAML, in the order of its fields. Lists without objects are
// written in one line, their texts in quotes.
func toYAML(v any) []byte {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		panic(fmt.Sprintf("kubernetes: %T cannot be written: %v", v, err)) // our own types can
	}
	var out bytes.Buffer
	writeBlock(&out, text.Bytes(), "")
	return out.Bytes()
}

// writeBlock writes an object, each of its members on lines of its own that begin with indent.
func writeBlock(out *bytes.Buffer, object json.RawMessage, indent string) {
	for key, value := range members(object) {
		out.WriteString(indent + scalar(key) + ":")
		switch {
		case isObject(value):
			out.WriteString("\n")
			writeBlock(out, value, indent+"  ")
		case holdsObjects(value):
			out.WriteString("\n")
			for _, item := range items(value) {
				var block bytes.Buffer
				writeBlock(&block, item, indent+"  ")
				out.WriteString(indent + "- ")
				out.Write(bytes.TrimPrefix(block.Bytes(), []byte(indent+"  ")))
			}
		default:
			out.WriteString(" " + inline(value) + "\n")
		}
	}
}

// members yields the members of an object in their order.
func members(object json.RawMessage) func(func(string, json.RawMessage) bool) {
	return func(yield func(string, json.RawMessage) bool) {
		decoder := json.NewDecoder(bytes.NewReader(object))
		_, _ = decoder.Token() // The opening brace; what json.Marshal wrote is well-formed.
		for decoder.More() {
			key, _ := decoder.Token()
			var value json.RawMessage
			if decoder.Decode(&value) != nil || !yield(key.(string), value) {
				return
			}
		}
	}
}

func items(list json.RawMessage) (items []json.RawMessage) {
	_ = json.Unmarshal(list, &items)
	return items
}

func isObject(value json.RawMessage) bool {
	return value[0] == '{' && !bytes.Equal(value, []byte("{}"))
}

func holdsObjects(value json.RawMessage) bool {
	if value[0] != '[' {
		return false
	}
	items := items(value)
	return len(items) > 0 && isObject(items[0])
}

// inline writes a value on the rest of a line.
func inline(value json.RawMessage) string {
	switch value[0] {
	case '"':
		var text string
		_ = json.Unmarshal(value, &text)
		return scalar(text)
	case '[':
		var texts []string
		for _, item := range items(value) {
			var text string
			if json.Unmarshal(item, &text) == nil {
				item = json.RawMessage(quote(text))
			}
			texts = append(texts, string(item))
		}
		return "[" + strings.Join(texts, ", ") + "]"
	default:
		return string(value)
	}
}

// plain matches text that every reader of YAML takes for a string without quotes: a letter or slash first, and nothing
// after it that could end a scalar or begin a comment.
var plain = regexp.MustCompile(`^[A-Za-z/][A-Za-z0-9/_.-]*$`)

// scalar writes a string, in JSON's quotes if it could be taken for something else. These are YAML's double quotes too.
func scalar(text string) string {
	switch strings.ToLower(text) {
	case "true", "false", "null", "yes", "no", "on", "off", "y", "n":
	default:
		if plain.MatchString(text) {
			return text
		}
	}
	return quote(text)
}

// quote writes a string in JSON's quotes. YAML wants more characters escaped than JSON does, and knows the same escapes.
func quote(text string) string {
	var quoted bytes.Buffer
	encoder := json.NewEncoder(&quoted)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(text) // A string can always be written.
	var escaped strings.Builder
	for _, r := range strings.TrimSuffix(quoted.String(), "\n") {
		switch {
		case unicode.IsPrint(r):
			escaped.WriteRune(r)
		case r <= 0xffff:
			fmt.Fprintf(&escaped, `\u%04x`, r)
		default:
			fmt.Fprintf(&escaped, `\U%08x`, r)
		}
	}
	return escaped.String()
}
