package statuspage_test

import (
	"bufio"
	"context"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc/test/bufconn"

	"github.com/vitals-go/vitals/probes/statuspage"
	"github.com/vitals-go/vitals/servicer"
)

// TestEventsOverHTTP2LastLongerThanTheirWriteDeadline follows a page of an idle server for two minutes. net/http resets an
// HTTP/2 stream at its write deadline, also when nothing is written.
func TestEventsOverHTTP2LastLongerThanTheirWriteDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		health, err := servicer.New(servicer.Config{})
		if err != nil {
			t.Fatal(err)
		}
		page, err := statuspage.New(statuspage.Config{Source: health})
		if err != nil {
			t.Fatal(err)
		}
		protocols := new(http.Protocols)
		protocols.SetUnencryptedHTTP2(true)
		server, lis := &http.Server{Handler: http.HandlerFunc(page.ServeEvents), Protocols: protocols}, bufconn.Listen(1<<16)
		go func() { _ = server.Serve(lis) }()
		transport := &http.Transport{Protocols: protocols, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return lis.DialContext(ctx)
		}}
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
		defer cancel()
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://localhost/", http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		response, err := transport.RoundTrip(request)
		if err != nil {
			t.Fatal(err)
		}
		beats := 0
		lines := bufio.NewScanner(response.Body)
		lines.Buffer(nil, 1<<20)
		for lines.Scan() {
			if strings.HasPrefix(lines.Text(), "event: heartbeat") {
				beats++
			}
		}
		if ctx.Err() == nil || beats < 11 {
			t.Errorf("the stream ended with %v after %d heartbeats, want it to last", lines.Err(), beats)
		}
		response.Body.Close()
		transport.CloseIdleConnections()
		server.Close()
		synctest.Wait()
	})
}
