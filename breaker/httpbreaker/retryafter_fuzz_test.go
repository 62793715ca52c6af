package httpbreaker_test

import (
	"context"
	"math/big"
	"net/http"
	"regexp"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vitals-go/vitals/breaker"
)

var (
	allDigits = regexp.MustCompile(`^[0-9]+$`)
	maxOpen   = 5 * time.Minute // breaker.Config.MaxOpenTime
)

// FuzzRetryAfter sends any Retry-After header.
func FuzzRetryAfter(f *testing.F) {
	for _, value := range []string{
		"", "0", "1", "120", "-1", "+5", "1.5", "1e9", " 7 ", "007", "9223372036854775807", "18446744073709551616", "99999999999999999999999999",
		"Fri, 31 Dec 1999 23:59:59 GMT", "Sat, 01 Jan 2000 00:01:00 GMT", "Fri, 31 Dec 9999 23:59:59 GMT", "Saturday, 01-Jan-00 00:02:00 GMT",
		"Sat Jan  1 00:00:30 2000", "Sat, 01 Jan 2000 00:01:00 CET", "soon", "10, 20", "٣", "0x10", "1_000",
	} {
		f.Add(uint16(http.StatusServiceUnavailable), value)
		f.Add(uint16(http.StatusTooManyRequests), value)
	}
	f.Add(uint16(http.StatusOK), "120")
	f.Add(uint16(http.StatusInternalServerError), "120")
	f.Fuzz(func(t *testing.T, code uint16, value string) {
		synctest.Test(t, func(t *testing.T) {
			b, transport := protect(t, answer(int(code), "Retry-After", value))
			resp, err := transport.RoundTrip(request(context.Background(), t, "http://prices/"))
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
			want := openTime(int(code), value)
			s := b.Snapshot()
			if (s.State == breaker.Open) != (want > 0) {
				t.Fatalf("%d with Retry-After %q: the breaker is %v, want it open for %v", code, value, s.State, want)
			}
			if want == 0 {
				return
			}
			if got := time.Until(s.RetryAt); got != want {
				t.Errorf("%d with Retry-After %q opens for %v, want %v", code, value, got, want)
			}
			time.Sleep(want)
			synctest.Wait()
			if b.State() == breaker.Open {
				t.Errorf("the breaker is open after %v", want)
			}
			b.Reset()
		})
	})
}

// openTime is the delay by RFC 9110, section 10.2.3, limited by the breaker.
func openTime(code int, value string) time.Duration {
	if code != http.StatusServiceUnavailable && code != http.StatusTooManyRequests {
		return 0
	}
	if allDigits.MatchString(value) {
		seconds, _ := new(big.Int).SetString(value, 10)
		if !seconds.IsInt64() || seconds.Int64() > int64(maxOpen/time.Second) {
			return maxOpen
		}
		return time.Duration(seconds.Int64()) * time.Second
	}
	for _, layout := range []string{"Mon, 02 Jan 2006 15:04:05 GMT", time.RFC850, time.ANSIC} {
		if date, err := time.Parse(layout, value); err == nil {
			return min(max(time.Until(date), 0), maxOpen)
		}
	}
	return 0
}
