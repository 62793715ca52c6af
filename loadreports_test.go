package vitals_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	orcapb "github.com/cncf/xds/go/xds/data/orca/v3"
	orcaservice "github.com/cncf/xds/go/xds/service/orca/v3"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	testpb "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/vitals-go/vitals"
	"github.com/vitals-go/vitals/servicer/orcavitals"
)

const loadTrailer = "endpoint-load-metrics-bin"

func (w *world) trailer(t *testing.T) (metadata.MD, error) {
	t.Helper()
	var trailer metadata.MD
	_, err := testpb.NewTestServiceClient(w.conn).EmptyCall(t.Context(), &testpb.Empty{}, grpc.WaitForReady(true), grpc.Trailer(&trailer))
	return trailer, err
}

func TestLoadReportsInTrailersAndStreams(t *testing.T) {
	w := serve(t, func(cfg *vitals.Config) {
		cfg.LoadReports = true
		cfg.Load.Interval = 100 * time.Millisecond
	})
	eventually(t, func() error { // calls are counted and memory is in use, whatever the machine does
		trailer, err := w.trailer(t)
		if err != nil || len(trailer[loadTrailer]) != 1 {
			return errors.Join(err, errors.New("not one report in the trailer"))
		}
		report := new(orcapb.OrcaLoadReport)
		if err := proto.Unmarshal([]byte(trailer[loadTrailer][0]), report); err != nil {
			return err
		}
		if report.MemUtilization <= 0 || report.RpsFractional <= 0 || report.Eps != 0 {
			return errors.New(report.String())
		}
		return nil
	})
	stream, err := orcaservice.NewOpenRcaServiceClient(w.conn).StreamCoreMetrics(t.Context(), &orcaservice.OrcaLoadReportRequest{})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if report, err := stream.Recv(); err != nil || report.MemUtilization <= 0 {
			t.Fatalf("got %v, %v", report, err)
		}
	}
	w.end(t) // which would be an error if the stream had been cut off
	for err == nil {
		_, err = stream.Recv()
	}
	if status.Code(err) != codes.Unavailable {
		t.Errorf("the stream ended with %v", err)
	}
}

func TestNoLoadReportsByDefault(t *testing.T) {
	w := serve(t, nil)
	trailer, err := w.trailer(t)
	if err != nil || len(trailer[loadTrailer]) != 0 {
		t.Errorf("got %v, %v", trailer, err)
	}
	stream, err := orcaservice.NewOpenRcaServiceClient(w.conn).StreamCoreMetrics(t.Context(), &orcaservice.OrcaLoadReportRequest{})
	if err == nil {
		_, err = stream.Recv()
	}
	if status.Code(err) != codes.Unimplemented {
		t.Errorf("the stream ended with %v", err)
	}
	w.end(t)
}

func TestLoadReportErrorsNameField(t *testing.T) {
	_, err := vitals.New(vitals.Config{LoadReports: true, CheckTimeout: -1, Load: orcavitals.Config{Interval: 1}})
	for _, word := range []string{"orcavitals: Interval", "CheckTimeout"} {
		if err == nil || !strings.Contains(err.Error(), word) {
			t.Errorf("%s is not named: %v", word, err)
		}
	}
}
