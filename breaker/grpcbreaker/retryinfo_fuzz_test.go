package grpcbreaker_test

import (
	"context"
	"math"
	"math/big"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	statuspb "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/vitals-go/vitals/breaker"
	"github.com/vitals-go/vitals/breaker/grpcbreaker"
)

const maxOpen = 5 * time.Minute // breaker.Config.MaxOpenTime

// FuzzRetryInfo ends calls with any code, any google.rpc.RetryInfo and other details of any bytes.
func FuzzRetryInfo(f *testing.F) {
	for _, code := range []codes.Code{codes.OK, codes.Unavailable, codes.ResourceExhausted, codes.Internal, codes.Code(99)} {
		f.Add(uint32(code), int64(30), int32(0), []byte("\x08\x1e"))
		f.Add(uint32(code), int64(math.MaxInt64), int32(math.MaxInt32), []byte(nil))
		f.Add(uint32(code), int64(-1), int32(-5), []byte("\xff\xff"))
		f.Add(uint32(code), int64(0), int32(1), []byte("\x0a\x00"))
	}
	f.Fuzz(func(t *testing.T, code uint32, seconds int64, nanos int32, garbage []byte) {
		details, err := anypb.New(&errdetails.RetryInfo{RetryDelay: &durationpb.Duration{Seconds: seconds, Nanos: nanos}})
		if err != nil {
			t.Fatal(err)
		}
		failure := status.FromProto(&statuspb.Status{Code: int32(code), Message: "away", Details: []*anypb.Any{
			{TypeUrl: "type.googleapis.com/google.rpc.ErrorInfo", Value: garbage}, {TypeUrl: string(garbage)}, details,
		}}).Err()
		synctest.Test(t, func(t *testing.T) {
			b := tripped(t, failure)
			defer b.Reset() // stops its timer
			want := time.Duration(0)
			if c := codes.Code(code); c == codes.Unavailable || c == codes.ResourceExhausted {
				want = bounded(seconds, nanos)
			}
			s := b.Snapshot()
			if (s.State == breaker.Open) != (want > 0) || want > 0 && time.Until(s.RetryAt) != want {
				t.Fatalf("code %d with RetryInfo of %d s and %d ns: %v for %v, want %v", code, seconds, nanos, s.State, time.Until(s.RetryAt), want)
			}
			if want > 0 {
				mustExplain(t, b, want)
			}
		})
	})
}

// tripped makes one call that ends with err through a new breaker.
func tripped(t *testing.T, err error) *breaker.Breaker {
	t.Helper()
	b, mistake := breaker.New(breaker.Config{Name: "upstream", Jitter: -1})
	if mistake != nil {
		t.Fatal(mistake)
	}
	interceptor, mistake := grpcbreaker.New(grpcbreaker.Config{Breaker: b})
	if mistake != nil {
		t.Fatal(mistake)
	}
	got := interceptor.UnaryClientInterceptor(context.Background(), unaryMethod, nil, nil, nil,
		func(context.Context, string, any, any, *grpc.ClientConn, ...grpc.CallOption) error { return err })
	if status.Code(got) != status.Code(err) {
		t.Fatalf("the call ends with %v, want %v", got, err)
	}
	return b
}

// bounded is the delay as the breaker may take it: none if it is not positive, and never more than the maximum.
func bounded(seconds int64, nanos int32) time.Duration {
	total := new(big.Int).Mul(big.NewInt(seconds), big.NewInt(int64(time.Second)))
	total.Add(total, big.NewInt(int64(nanos)))
	if !total.IsInt64() {
		if total.Sign() < 0 {
			return 0
		}
		return maxOpen
	}
	return min(max(time.Duration(total.Int64()), 0), maxOpen)
}

// mustExplain reads a rejection as a client of a server that returns it.
func mustExplain(t *testing.T, b *breaker.Breaker, wait time.Duration) {
	t.Helper()
	_, rejection := b.Allow(context.Background())
	sent, err := proto.Marshal(status.Convert(rejection).Proto())
	if err != nil {
		t.Fatal(err)
	}
	var got statuspb.Status
	if err := proto.Unmarshal(sent, &got); err != nil {
		t.Fatal(err)
	}
	delay := time.Duration(-1)
	for _, detail := range status.FromProto(&got).Details() {
		if info, ok := detail.(*errdetails.RetryInfo); ok {
			delay = info.RetryDelay.AsDuration()
		}
	}
	if codes.Code(got.Code) != codes.Unavailable || delay != wait {
		t.Errorf("a rejection is %v, and says to wait for %v, want %v", &got, delay, wait)
	}
}
