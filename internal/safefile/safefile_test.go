package safefile_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/vitals-go/vitals/internal/safefile"
)

func TestReadAcceptsOnlySmallRegularFiles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path, link := filepath.Join(dir, "file"), filepath.Join(dir, "link")
	if err := os.WriteFile(path, []byte("ten bytes!"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(path, link); err != nil {
		t.Skip(err)
	}
	for name, tt := range map[string]struct {
		read  func() ([]byte, error)
		wrong string
	}{
		"file":              {func() ([]byte, error) { b, _, err := safefile.Read(path, 10); return b, err }, ""},
		"longer file":       {func() ([]byte, error) { b, _, err := safefile.Read(path, 9); return b, err }, "longer than 9"},
		"link":              {func() ([]byte, error) { b, _, err := safefile.Read(link, 10); return b, err }, ""},
		"unlinked, link":    {func() ([]byte, error) { b, _, err := safefile.ReadUnlinked(link, 10); return b, err }, "link"},
		"unlinked, file":    {func() ([]byte, error) { b, _, err := safefile.ReadUnlinked(path, 10); return b, err }, ""},
		"directory":         {func() ([]byte, error) { b, _, err := safefile.Read(dir, 10); return b, err }, "not a regular file"},
		"device":            {func() ([]byte, error) { b, _, err := safefile.Read(os.DevNull, 10); return b, err }, "not a regular file"},
		"no file":           {func() ([]byte, error) { b, _, err := safefile.Read(path+"x", 10); return b, err }, "no such file"},
		"unlinked, no file": {func() ([]byte, error) { b, _, err := safefile.ReadUnlinked(path+"x", 10); return b, err }, "no such file"},
	} {
		body, err := tt.read()
		if tt.wrong == "" && (err != nil || string(body) != "ten bytes!") {
			t.Errorf("%s: %q, %v", name, body, err)
		}
		if tt.wrong != "" && (err == nil || !strings.Contains(err.Error(), tt.wrong)) {
			t.Errorf("%s: %q, %v; want an error with %q", name, body, err, tt.wrong)
		}
	}
}

func TestSameDetectsReplacedFiles(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "file")
	look := func(content string) os.FileInfo {
		if err := os.WriteFile(path+"new", []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(path+"new", path); err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		return info
	}
	first := look("a")
	again, err := os.Stat(path)
	if err != nil || !safefile.Same(first, again) {
		t.Errorf("got changed for an untouched file, %v", err)
	}
	if err := os.WriteFile(path, []byte("longer"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(path, time.Time{}, first.ModTime()); err != nil {
		t.Fatal(err)
	}
	if longer, err := os.Stat(path); err != nil || safefile.Same(first, longer) {
		t.Errorf("got unchanged for a longer file of the same time, %v", err)
	}
	if second := look("b"); safefile.Same(first, second) || safefile.Same(nil, second) || safefile.Same(second, nil) {
		t.Error("got unchanged for a replaced file")
	}
}

func TestOverwriteWritesRegularFilesInPlace(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path, link := filepath.Join(dir, "file"), filepath.Join(dir, "link")
	if err := os.Symlink(path, link); err != nil {
		t.Skip(err)
	}
	var first os.FileInfo
	for _, body := range []string{"longer than the next", "short", ""} {
		if err := safefile.Overwrite(path, []byte(body)); err != nil {
			t.Fatal(err)
		}
		got, info, err := safefile.Read(path, 100)
		if err != nil || string(got) != body {
			t.Errorf("got %q, %v, want %q", got, err, body)
		}
		if first != nil && !os.SameFile(first, info) {
			t.Error("got another file, want the same")
		}
		first = info
	}
	for _, wrong := range []string{link, dir, os.DevNull, filepath.Join(dir, "none", "file")} {
		if err := safefile.Overwrite(wrong, []byte("x")); err == nil {
			t.Errorf("%s: got no error", wrong)
		}
	}
}
