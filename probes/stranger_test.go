package probes_test

import (
	"bufio"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/vitals-go/vitals/probes"
)

// A client that never stops sending, but never comes to an end either, is cut off by the default timeouts: each byte is
// life, and only the clock of the whole header tells.
func TestSlowRequestIsCutOff(t *testing.T) {
	t.Parallel()
	addr, _ := serve(t, probes.ServerConfig{Handler: newHandler(t, probes.HandlerConfig{Source: newScript(healthyReport())})})
	for name, begin := range map[string]string{
		"header": "GET /live HTTP/1.1\r\nHost: a\r\nX-Slow: ",
		"line":   "GET /live?",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			conn := dial(t, addr)
			fmt.Fprint(conn, begin)
			cut := make(chan error, 1)
			go func() {
				_ = conn.SetReadDeadline(time.Now().Add(time.Minute))
				_, err := io.Copy(io.Discard, conn)
				cut <- err
			}()
			drip := time.NewTicker(100 * time.Millisecond)
			defer drip.Stop()
			for {
				select {
				case err := <-cut:
					if errors.Is(err, os.ErrDeadlineExceeded) {
						t.Error("is served for a minute")
					}
					return
				case <-drip.C:
					fmt.Fprint(conn, "x")
				}
			}
		})
	}
}

// Without TLS there is no HTTP/2, whose clients can ask for more at a time.
func TestPlaintextHasNoHTTP2(t *testing.T) {
	t.Parallel()
	addr, _ := serve(t, probes.ServerConfig{Handler: newHandler(t, probes.HandlerConfig{Source: newScript(healthyReport())})})
	conn := dial(t, addr)
	fmt.Fprint(conn, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
	_ = conn.SetReadDeadline(time.Now().Add(time.Minute))
	answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err == nil {
		answer.Body.Close()
		if answer.StatusCode < 400 {
			t.Errorf("status %d", answer.StatusCode)
		}
	}
	upgrade := dial(t, addr)
	fmt.Fprint(upgrade, "GET /live HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n\r\n")
	answer, err = http.ReadResponse(bufio.NewReader(upgrade), nil)
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		t.Errorf("an upgrade that we do not know is answered %d, want the probe", answer.StatusCode)
	}
}

// A client asks and takes it back, ten thousand times on one connection, while the answers take their time.
func TestRapidResetsAreBounded(t *testing.T) {
	t.Parallel()
	certificate, roots := selfSigned(t)
	var running, most atomic.Int64
	release := make(chan struct{})
	slow := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/live" {
			now := running.Add(1)
			defer running.Add(-1)
			for seen := most.Load(); now > seen && !most.CompareAndSwap(seen, now); seen = most.Load() {
			}
			<-release
		}
		w.WriteHeader(http.StatusOK)
	})
	addr, stop := serve(t, probes.ServerConfig{
		Handler: slow, TLS: &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12},
	})
	conn, err := tls.Dial("tcp", addr, &tls.Config{RootCAs: roots, NextProtos: []string{"h2"}, MinVersion: tls.VersionTLS12})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	go func() { _, _ = io.Copy(io.Discard, conn) }()
	attack(conn, 10_000)
	client := &http.Client{Transport: &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}, DisableKeepAlives: true,
	}, Timeout: time.Minute}
	answer, err := client.Get("https://" + addr + "/live")
	if err != nil || answer.StatusCode != http.StatusOK {
		t.Errorf("a probe meanwhile: %v, %v", answer, err)
	}
	if err == nil {
		answer.Body.Close()
	}
	for deadline := time.Now().Add(time.Minute); most.Load() == 0 && time.Now().Before(deadline); {
		time.Sleep(time.Millisecond) // a busy machine starts the first handler late
	}
	if got := most.Load(); got == 0 || got > 100 {
		t.Errorf("%d requests of one connection were being answered, want 1 to 100", got)
	}
	close(release)
	stop()
}

// attack sends n requests for /, each taken back at once, until the server has had enough.
func attack(conn net.Conn, n uint32) {
	if _, err := io.WriteString(conn, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"+string(frame(4, 0, 0, nil))); err != nil {
		return
	}
	// GET, https and / by their places in HPACK's static table, then :authority as a literal.
	headers := []byte{0x82, 0x87, 0x84, 0x01, 0x01, 'a'}
	for i := range n {
		id := 2*i + 1
		both := append(frame(1, 5, id, headers), frame(3, 0, id, []byte{0, 0, 0, 8})...)
		if _, err := conn.Write(both); err != nil {
			return
		}
	}
}

// frame is one of HTTP/2 (RFC 9113, section 4.1).
func frame(kind, flags byte, stream uint32, payload []byte) []byte {
	head := binary.BigEndian.AppendUint32(nil, uint32(len(payload))<<8|uint32(kind))
	head = append(head, flags)
	return append(binary.BigEndian.AppendUint32(head, stream), payload...)
}

func TestHugeURLsAreRefused(t *testing.T) {
	t.Parallel()
	addr, _ := serve(t, probes.ServerConfig{Handler: newHandler(t, probes.HandlerConfig{Source: newScript(healthyReport())})})
	for path, want := range map[string]int{
		"/health/" + strings.Repeat("x", 10_000): http.StatusNotFound,
		"/health/" + strings.Repeat("x", 30_000): http.StatusRequestHeaderFieldsTooLarge,
		"/ready?" + strings.Repeat("x", 4096):    http.StatusOK,
		"/ready?" + strings.Repeat("x", 4097):    http.StatusRequestURITooLong,
	} {
		conn := dial(t, addr)
		fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: a\r\n\r\n", path)
		answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		if answer.StatusCode != want {
			t.Errorf("%d bytes of URL: %d, want %d", len(path), answer.StatusCode, want)
		}
	}
}
