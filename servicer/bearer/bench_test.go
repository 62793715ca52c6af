package bearer_test

import (
	"net/http"
	"testing"

	"github.com/vitals-go/vitals/servicer/bearer"
)

func BenchmarkAllow(b *testing.B) {
	tokens := newTokens(b, bearer.Config{Tokens: []string{token, second}})
	for name, header := range map[string]http.Header{
		"stranger": {"Accept": {"*/*"}, "User-Agent": {"curl"}}, "insider": shows("Bearer " + second), "guesser": shows("Bearer wrong-token-of-a-guesser"),
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				tokens.Allow(b.Context(), "192.0.2.7:4711", header)
			}
		})
	}
}
