package bearer_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
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

func newTokens(t testing.TB, config bearer.Config) *bearer.Tokens {
	t.Helper()
	tokens, err := bearer.New(config)
	if err != nil {
		t.Fatal(err)
	}
	return tokens
}

func shows(text string) http.Header { return http.Header{"Authorization": {text}} }

func TestWhoShowsATokenIsAllowed(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		header map[string][]string
		want   bool
	}{
		"HTTP":                   {shows("Bearer " + token), true},
		"gRPC":                   {metadata.Pairs("authorization", "Bearer "+token), true},
		"another one in force":   {shows("Bearer " + second), true},
		"whatever case":          {map[string][]string{"AUTHORIZATION": {"bEARER " + token}}, true},
		"with spaces":            {shows("Bearer   " + token + "  "), true},
		"nothing":                {nil, false},
		"an empty header":        {shows(""), false},
		"no value":               {map[string][]string{"Authorization": nil}, false},
		"no token":               {shows("Bearer "), false},
		"the bare token":         {shows(token), false},
		"another scheme":         {shows("Basic " + token), false},
		"another header":         {http.Header{"X-Authorization": {"Bearer " + token}}, false},
		"a wrong one":            {shows("Bearer wrong-horse-battery-staple"), false},
		"the beginning of one":   {shows("Bearer " + token[:len(token)-1]), false},
		"more than one":          {shows("Bearer " + token + "x"), false},
		"two values":             {http.Header{"Authorization": {"Bearer " + token, "Bearer " + token}}, false},
		"two headers":            {map[string][]string{"Authorization": {"Bearer " + token}, "authorization": {"Bearer " + token}}, false},
		"both in one":            {shows("Bearer " + token + " " + second), false},
		"a digest":               {shows("Bearer 1a2b3c4d5e6f1a2b3c4d5e6f1a2b3c4d5e6f1a2b3c4d5e6f1a2b3c4d5e6f1a2b"), false},
		"a megabyte":             {shows("Bearer " + strings.Repeat("x", 1<<20)), false},
		"a megabyte of the true": {shows("Bearer " + strings.Repeat(token, 1<<15)), false},
	} {
		tokens := newTokens(t, bearer.Config{Tokens: []string{token, second}})
		if got := tokens.Allow(t.Context(), "192.0.2.7:1", tt.header); got != tt.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestNewReportsAllMistakesAndNoToken(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	empty, pipe := filepath.Join(dir, "empty"), dir
	write(t, empty, "\n  \n")
	for name, tt := range map[string]struct {
		config bearer.Config
		want   []string
	}{
		"nothing":      {bearer.Config{}, []string{"needs Tokens, File or both"}},
		"no file":      {bearer.Config{File: filepath.Join(dir, "none")}, []string{"File", "no such file"}},
		"a folder":     {bearer.Config{File: pipe}, []string{"not a regular file"}},
		"an empty one": {bearer.Config{File: empty}, []string{"holds no token"}},
		"too many":     {bearer.Config{Tokens: make([]string, 101)}, []string{"101 tokens", "token 101 of Tokens is empty"}},
		"all at once": {
			bearer.Config{Tokens: []string{"", "hunter2", "hunter2 hunter2 hunter2", strings.Repeat("hunter2", 200), "hunter2=hunter2=hunter2"}, File: empty},
			[]string{"token 1 of Tokens is empty", "token 2 of Tokens is shorter", "token 3 of Tokens holds a char", "token 4 of Tokens is longer", "token 5 of Tokens holds a char", "no token"},
		},
	} {
		_, err := bearer.New(tt.config)
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

// Nobody learns a token from a guesser's failures, and no guesser is heard for long. Whoever comes from elsewhere is.
func TestGuessersAreNotListenedTo(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ guesser, same, other string }{
		"IPv4":            {"192.0.2.7:1", "192.0.2.7:2", "192.0.2.8:1"},
		"IPv4 in IPv6":    {"192.0.2.7:1", "[::ffff:192.0.2.7]:2", "192.0.2.8:1"},
		"a /64 of IPv6":   {"[2001:db8::1]:1", "[2001:db8::ffff:2]:2", "[2001:db8:0:1::1]:1"},
		"a Unix socket":   {"@", "@", "192.0.2.8:1"},
		"link-local IPv6": {"[fe80::1%eth0]:1", "[fe80::2%eth1]:1", "192.0.2.8:1"},
	} {
		synctest.Test(t, func(t *testing.T) {
			tokens := newTokens(t, bearer.Config{Tokens: []string{token}})
			right := func(from string) bool { return tokens.Allow(t.Context(), from, shows("Bearer "+token)) }
			guess := func(n int) {
				for i := range n {
					if tokens.Allow(t.Context(), tt.guesser, shows("Bearer wrong-token-number-"+strconv.Itoa(i))) {
						t.Fatal("a wrong token is right")
					}
				}
			}
			guess(9)
			if !right(tt.same) {
				t.Fatalf("%s: not heard after nine wrong tokens", name)
			}
			guess(1000)
			if right(tt.guesser) || right(tt.same) {
				t.Errorf("%s: heard after a thousand wrong tokens", name)
			}
			if !right(tt.other) && !right("198.51.100.9:1") { // one of the two may share a place with the guesser
				t.Errorf("%s: another source is not heard", name)
			}
			time.Sleep(6 * time.Second)
			if !right(tt.same) {
				t.Errorf("%s: not heard again", name)
			}
			guess(1)
			if right(tt.same) {
				t.Errorf("%s: more than one try after the pause", name)
			}
			time.Sleep(time.Hour)
			guess(9)
			if !right(tt.same) {
				t.Errorf("%s: not heard after an hour", name)
			}
		})
	}
}

func TestWhoShowsNoTokenIsNoGuesser(t *testing.T) {
	t.Parallel()
	tokens := newTokens(t, bearer.Config{Tokens: []string{token}})
	for range 1000 {
		for _, header := range []http.Header{nil, shows("Basic dXNlcjpwYXNzd29yZA=="), shows("Bearer ")} {
			if tokens.Allow(t.Context(), "192.0.2.7:1", header) {
				t.Fatal("allowed")
			}
		}
	}
	if !tokens.Allow(t.Context(), "192.0.2.7:1", shows("Bearer "+token)) {
		t.Error("a source that has shown no wrong token is not heard")
	}
}

func TestTheLogHearsOfGuessersButOfNoToken(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		tokens := newTokens(t, bearer.Config{
			Tokens: []string{token}, Logger: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.Level(-100)})),
		})
		for range 20 {
			for range 100 {
				tokens.Allow(t.Context(), "192.0.2.7:1", shows("Bearer wrong-horse-battery-staple"))
			}
			tokens.Allow(t.Context(), "198.51.100.9:1", shows("Bearer "+token))
			time.Sleep(time.Second)
		}
		if n := strings.Count(log.String(), "\n"); n != 2 || !strings.Contains(log.String(), "192.0.2.7") {
			t.Errorf("%d lines in 20 s:\n%s", n, log.String())
		}
		if strings.Contains(log.String(), "horse") {
			t.Errorf("the log holds a token:\n%s", log.String())
		}
	})
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

func TestTokensAreRotatedByReplacingTheFile(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "tokens")
		write(t, path, token+"\n")
		var log bytes.Buffer
		tokens := newTokens(t, bearer.Config{File: path, Logger: slog.New(slog.NewTextHandler(&log, nil))})
		inForce := func(step string, first, other bool) {
			t.Helper()
			time.Sleep(time.Minute)
			for text, want := range map[string]bool{token: first, second: other} {
				if got := tokens.Allow(t.Context(), "192.0.2.7:1", shows("Bearer "+text)); got != want {
					t.Errorf("%s: a token is in force: %v, want %v", step, got, want)
				}
			}
		}
		inForce("at first", true, false)
		write(t, path, token+"\r\n\n"+second)
		inForce("both", true, true)
		write(t, path, second)
		inForce("the old one withdrawn", false, true)
		log.Reset()
		write(t, path, "half a tok")
		inForce("a torn file", false, true)
		inForce("still torn", false, true)
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		inForce("no file", false, true)
		if n := strings.Count(log.String(), "cannot be used"); n != 2 || strings.Contains(log.String(), "half") {
			t.Errorf("the log:\n%s", log.String())
		}
		write(t, path, token)
		inForce("a whole file again", true, false)
	})
}
