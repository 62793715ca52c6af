package servicer_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc/health"

	"github.com/vitals-go/vitals/servicer"
)

// BenchmarkSetNewNames sets n new names one after the other, beside grpc-go's health.Server.
func BenchmarkSetNewNames(b *testing.B) {
	for _, n := range []int{1000, 4000, 16000} {
		names := make([]string, n)
		for i := range names {
			names[i] = fmt.Sprint("shop.v1.Orders", i)
		}
		set := func(b *testing.B, build func() (subject, func())) {
			var total time.Duration
			for b.Loop() {
				s, stop := build()
				began := time.Now()
				for _, name := range names {
					s.SetServingStatus(name, serving)
				}
				total += time.Since(began)
				stop()
			}
			b.ReportMetric(float64(total.Microseconds())/float64(b.N), "µs-set")
		}
		b.Run(fmt.Sprintf("grpc-go/%d", n), func(b *testing.B) {
			set(b, func() (subject, func()) { return health.NewServer(), func() {} })
		})
		for _, with := range []string{"alone", "run", "follower", "run+follower"} {
			b.Run(fmt.Sprintf("%s/%d", with, n), func(b *testing.B) {
				set(b, func() (subject, func()) {
					s, err := servicer.New(servicer.Config{})
					if err != nil {
						b.Fatal(err)
					}
					ctx, cancel := context.WithCancel(b.Context())
					var group sync.WaitGroup
					if with == "run" || with == "run+follower" {
						group.Go(func() { _ = s.Run(ctx) })
					}
					if with == "follower" || with == "run+follower" {
						group.Go(func() {
							for range s.Changes(ctx) {
							}
						})
					}
					time.Sleep(time.Millisecond)
					return s, func() { cancel(); group.Wait() }
				})
			})
		}
	}
}
