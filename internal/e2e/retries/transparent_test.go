package retries

import (
	"bytes"
	"io"
	"net"
	"sync"
	"testing"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// refusing serves HTTP/2 and refuses every second stream, beginning with the first, before any handler sees it: gRPC
// retries those transparently. The others get an empty message and an OK after their last message.
func refusing(t *testing.T) (addr string) {
	t.Helper()
	lis, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var served sync.WaitGroup
	served.Go(func() {
		for {
			conn, err := lis.Accept()
			if err != nil {
				return
			}
			served.Go(func() {
				defer conn.Close()
				refuseEverySecond(conn)
			})
		}
	})
	t.Cleanup(served.Wait) // after the client has closed its connection
	t.Cleanup(func() { lis.Close() })
	return lis.Addr().String()
}

func refuseEverySecond(conn net.Conn) {
	if _, err := io.ReadFull(conn, make([]byte, len(http2.ClientPreface))); err != nil {
		return
	}
	framer := http2.NewFramer(conn, conn)
	_ = framer.WriteSettings()
	streams := 0
	for {
		frame, err := framer.ReadFrame()
		if err != nil {
			return
		}
		switch frame := frame.(type) {
		case *http2.SettingsFrame:
			if !frame.IsAck() {
				_ = framer.WriteSettingsAck()
			}
		case *http2.PingFrame:
			_ = framer.WritePing(true, frame.Data)
		case *http2.HeadersFrame:
			if streams++; streams%2 == 1 {
				_ = framer.WriteRSTStream(frame.StreamID, http2.ErrCodeRefusedStream)
			}
		case *http2.DataFrame:
			if frame.StreamEnded() {
				respond(framer, frame.StreamID)
			}
		}
	}
}

// respond sends a header, one empty message and the status OK.
func respond(framer *http2.Framer, stream uint32) {
	for _, end := range []bool{false, true} {
		var block bytes.Buffer
		encoder := hpack.NewEncoder(&block)
		fields := []hpack.HeaderField{{Name: ":status", Value: "200"}, {Name: "content-type", Value: "application/grpc"}}
		if end {
			fields = []hpack.HeaderField{{Name: "grpc-status", Value: "0"}}
		}
		for _, field := range fields {
			_ = encoder.WriteField(field)
		}
		_ = framer.WriteHeaders(http2.HeadersFrameParam{
			StreamID: stream, BlockFragment: block.Bytes(), EndHeaders: true, EndStream: end,
		})
		if !end {
			_ = framer.WriteData(stream, false, make([]byte, 5))
		}
	}
}
