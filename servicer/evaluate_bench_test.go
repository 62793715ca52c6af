package servicer

import (
	"context"
	"fmt"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/vitals-go/vitals/checker"
	"github.com/vitals-go/vitals/interceptor"
	"github.com/vitals-go/vitals/servicer/vitalspb"
)

// crowd is evidence of 100 checks and as many methods as wanted, of 20 services.
func crowd(methods int) *inputs {
	e := ready()
	for i := range 100 {
		e.checks = append(e.checks, result(fmt.Sprintf("check%02d", i), checker.Healthy, checker.ReasonOK, checker.Readiness))
	}
	w := interceptor.Window{Span: time.Minute, Requests: 1000, LatencySamples: 1000, Mean: time.Millisecond}
	e.requests = calls(w)
	e.requests.Methods = nil
	for i := range methods {
		service := fmt.Sprintf("shop.v1.Service%02d", i*20/methods)
		if i%max(methods/20, 1) == 0 {
			e.services = append(e.services, service)
		}
		e.requests.Methods = append(e.requests.Methods, interceptor.Method{
			Service: service, Name: fmt.Sprintf("Method%03d", i), Type: interceptor.Unary,
			Total: interceptor.Stats{Started: 1000, Handled: 1000}, Window: w,
		})
	}
	return e
}

// BenchmarkEvaluate is one evaluation, including tracking and the comparison with the last report.
func BenchmarkEvaluate(b *testing.B) {
	for _, methods := range []int{20, 1000} {
		b.Run(fmt.Sprintf("100checks/%dmethods", methods), func(b *testing.B) {
			e, h := crowd(methods), newHistory(100)
			last, _ := h.track(e)
			b.ReportAllocs()
			for b.Loop() {
				if next, _ := h.track(e); !sameStatuses(last, next) {
					b.Fatal("evaluations of the same inputs differ")
				}
			}
		})
	}
}

// BenchmarkMessages is the cost of the first call for a report.
func BenchmarkMessages(b *testing.B) {
	e := crowd(1000)
	report := plainEvaluator().reportOf(e)
	b.ReportAllocs()
	for b.Loop() {
		m := newMessages(report)
		m.public()
		m.methods()
	}
}

func benched(b *testing.B, methods int) *Server {
	s, err := New(Config{})
	if err != nil {
		b.Fatal(err)
	}
	e := crowd(methods)
	s.update(func(in *inputs) {
		in.readings = readings{checks: e.checks, requests: e.requests}
		in.services = e.services
	})
	return s
}

// BenchmarkGetHealthReport is the handler alone, and with what gRPC does to send its answer.
func BenchmarkGetHealthReport(b *testing.B) {
	for _, methods := range []int{20, 1000} {
		s := benched(b, methods)
		server, request := s.ReportServer(), &vitalspb.HealthReportRequest{IncludeMethods: true}
		b.Run(fmt.Sprintf("handler/100checks/%dmethods", methods), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := server.GetHealthReport(context.Background(), request); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(fmt.Sprintf("marshalled/100checks/%dmethods", methods), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				response, err := server.GetHealthReport(context.Background(), request)
				if err != nil {
					b.Fatal(err)
				}
				if _, err := proto.Marshal(response); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkReport(b *testing.B) {
	s := benched(b, 20)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if s.Report().Revision == 0 {
				b.Error("no edition")
			}
		}
	})
}
