package bearer_test

import (
	"net/http"
	"testing"

	"github.com/vitals-go/vitals/servicer/bearer"
)

func BenchmarkAllow(b *testing.B) {
	tokens := newTokens(b, bearer.Config{Tokens: []string{token, second}})
	for name, header := range map[string]http.Header{
		"no token": {"Accept": {"*/*"}, "User-Agent": {"curl"}}, "valid token": shows("Bearer " + second), "wrong token": shows("Bearer wrong-token-of-a-caller"),
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				tokens.Allow(b.Context(), header)
			}
		})
	}
}
