package bearer_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc/metadata"

	"github.com/vitals-go/vitals/servicer"
	"github.com/vitals-go/vitals/servicer/bearer"
)

const (
	token  = "correct-horse-battery-staple"
	second = "c3RhcGxlIGJhdHRlcnkgaG9yc2U="
)

func ExampleNew() {
	tokens, err := bearer.New(bearer.Config{Tokens: []string{"correct-horse-battery-staple"}})
	if err != nil {
		fmt.Println(err)
		return
	}
	details := servicer.Details{Tokens: tokens} // for servicer.Config and probes.HandlerConfig
	caller := servicer.Caller{Network: "tcp", Address: "192.0.2.7:4711"}
	fmt.Println(details.Allow(context.Background(), caller))
	caller.Header = http.Header{"Authorization": {"Bearer correct-horse-battery-staple"}}
	fmt.Println(details.Allow(context.Background(), caller))
	// Output:
	// false
	// true
}

func newTokens(t testing.TB, cfg bearer.Config) *bearer.Tokens {
	t.Helper()
	tokens, err := bearer.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return tokens
}

func shows(text string) http.Header { return http.Header{"Authorization": {text}} }

func TestAllowAcceptsOnlyAValidToken(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		header map[string][]string
		want   bool
	}{
		"HTTP":                  {shows("Bearer " + token), true},
		"gRPC":                  {metadata.Pairs("authorization", "Bearer "+token), true},
		"second token":          {shows("Bearer " + second), true},
		"other case":            {map[string][]string{"AUTHORIZATION": {"bEARER " + token}}, true},
		"with spaces":           {shows("Bearer   " + token + "  "), true},
		"no header":             {nil, false},
		"an empty header":       {shows(""), false},
		"no value":              {map[string][]string{"Authorization": nil}, false},
		"no token":              {shows("Bearer "), false},
		"the bare token":        {shows(token), false},
		"another scheme":        {shows("Basic " + token), false},
		"another header":        {http.Header{"X-Authorization": {"Bearer " + token}}, false},
		"wrong token":           {shows("Bearer wrong-horse-battery-staple"), false},
		"prefix of a token":     {shows("Bearer " + token[:len(token)-1]), false},
		"token with a suffix":   {shows("Bearer " + token + "x"), false},
		"two values":            {http.Header{"Authorization": {"Bearer " + token, "Bearer " + token}}, false},
		"two headers":           {map[string][]string{"Authorization": {"Bearer " + token}, "authorization": {"Bearer " + token}}, false},
		"two tokens in one":     {shows("Bearer " + token + " " + second), false},
		"digest of a token":     {shows("Bearer 1a2b3c4d5e6f1a2b3c4d5e6f1a2b3c4d5e6f1a2b3c4d5e6f1a2b3c4d5e6f1a2b"), false},
		"1 MiB":                 {shows("Bearer " + strings.Repeat("x", 1<<20)), false},
		"1 MiB of valid tokens": {shows("Bearer " + strings.Repeat(token, 1<<15)), false},
	} {
		tokens := newTokens(t, bearer.Config{Tokens: []string{token, second}})
		if got := tokens.Allow(t.Context(), tt.header); got != tt.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestNewReportsAllMistakesWithoutQuotingTokens(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	empty, pipe := filepath.Join(dir, "empty"), dir
	write(t, empty, "\n  \n")
	for name, tt := range map[string]struct {
		cfg  bearer.Config
		want []string
	}{
		"zero config": {bearer.Config{}, []string{"Tokens or File is required"}},
		"no file":     {bearer.Config{File: filepath.Join(dir, "none")}, []string{"File", "no such file"}},
		"directory":   {bearer.Config{File: pipe}, []string{"not a regular file"}},
		"empty file":  {bearer.Config{File: empty}, []string{"has no token"}},
		"too many":    {bearer.Config{Tokens: make([]string, 101)}, []string{"Tokens: got 101 tokens, want at most 100", "Tokens: token 101 is shorter"}},
		"all at once": {
			bearer.Config{Tokens: []string{"", "hunter2", "hunter2 hunter2 hunter2", strings.Repeat("hunter2", 200), "hunter2=hunter2=hunter2"}, File: empty},
			[]string{"Tokens: token 1 is shorter", "Tokens: token 2 is shorter", "Tokens: token 3 has an invalid character", "Tokens: token 4 is longer", "Tokens: token 5 has an invalid character", "File: " + empty + " has no token"},
		},
	} {
		_, err := bearer.New(tt.cfg)
		for _, want := range tt.want {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v, want %q", name, err, want)
			}
		}
		if err != nil && strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: the error quotes a token: %v", name, err)
		}
	}
}

func write(t testing.TB, path, content string) {
	t.Helper()
	if err := os.WriteFile(path+".new", []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		t.Fatal(err)
	}
}

func TestFileIsReloadedAndKeptWhenInvalid(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "tokens")
		write(t, path, token+"\n")
		var log bytes.Buffer
		tokens := newTokens(t, bearer.Config{File: path, Logger: slog.New(slog.NewTextHandler(&log, nil))})
		expect := func(step string, first, other bool) {
			t.Helper()
			time.Sleep(time.Minute)
			for text, want := range map[string]bool{token: first, second: other} {
				if got := tokens.Allow(t.Context(), shows("Bearer "+text)); got != want {
					t.Errorf("%s: token valid: %v, want %v", step, got, want)
				}
			}
			synctest.Wait() // for the log
		}
		expect("initial file", true, false)
		write(t, path, token+"\r\n\n"+second)
		expect("both tokens", true, true)
		write(t, path, second)
		expect("old token withdrawn", false, true)
		log.Reset()
		write(t, path, "half a tok")
		expect("truncated file", false, true)
		expect("still truncated", false, true)
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		expect("no file", false, true)
		if n := strings.Count(log.String(), "reload failed"); n != 2 || strings.Contains(log.String(), "half") {
			t.Errorf("the log:\n%s", log.String())
		}
		write(t, path, token)
		expect("valid file again", true, false)
	})
}

// Not parallel: it changes the working directory.
func TestRelativeFileSurvivesChdir(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	write(t, "tokens", token)
	synctest.Test(t, func(t *testing.T) {
		tokens := newTokens(t, bearer.Config{File: "tokens"})
		t.Chdir("/")
		write(t, filepath.Join(dir, "tokens"), second)
		time.Sleep(time.Minute)
		if !tokens.Allow(t.Context(), shows("Bearer "+second)) {
			t.Error("the changed file is not read")
		}
	})
}
