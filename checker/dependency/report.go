package dependency

import (
	"cmp"
	"context"
	"slices"
	"strings"

	healthpb "google.golang.org/grpc/health/grpc_health_v1"

	"github.com/vitals-go/vitals/checker"
	"github.com/vitals-go/vitals/servicer/vitalspb"
)

const (
	causedBy = "caused by "
	arrow    = " ← "
	// maxChain bounds how many causes of causes are named: services that check each other repeat theirs.
	maxChain = 4
)

// explainReport returns err, of an upstream that does not serve, with what the upstream's report says, if it has one.
func (cfg GRPCConfig) explainReport(ctx context.Context, err error) error {
	report, reportErr := vitalspb.NewHealthReportServiceClient(cfg.Conn).GetHealthReport(ctx, &vitalspb.HealthReportRequest{})
	if reportErr != nil {
		return err
	}
	i := slices.IndexFunc(report.GetNames(), func(n *vitalspb.ServingName) bool { return n.GetName() == cfg.Service })
	if i < 0 {
		return err
	}
	name := report.GetNames()[i]
	if name.GetStatus() == healthpb.HealthCheckResponse_SERVING.String() { // it has recovered meanwhile
		return nil
	}
	chains, lacks := causes(report, name)
	if len(chains) == 0 {
		return err
	}
	text := causedBy + strings.Join(chains, ", ")
	if lacks && !cfg.Transitive {
		return checker.Degraded(text, err)
	}
	return checker.Failed(text, err)
}

// causes returns the chain of each cause that keeps name from serving, and whether it lacks nothing but dependencies. Those
// that another one explains are left out.
func causes(report *vitalspb.HealthReportResponse, name *vitalspb.ServingName) (chains []string, lacks bool) {
	var own, waits bool
	var phase []string
	for _, cause := range name.GetCauses() {
		metric := report.GetMetrics()["dependency_"+cause.GetCheck()]
		notRun := cause.GetReason() == checker.ReasonNotRunYet.String()
		switch {
		case metric != nil && cause.GetCheck() != "":
			waits = waits || !notRun
			own = own || notRun
			if metric.GetCausedBy() == "" {
				chains = append(chains, chain(cause))
			}
		case cause.GetCheck() == "" && notRun:
			phase = []string{cause.GetText()} // which may end only once a dependency works
		default:
			own = true
			chains = append(chains, cmp.Or(cause.GetCheck(), cause.GetText()))
		}
	}
	if !waits {
		chains = append(phase, chains...)
	}
	return chains, waits && !own
}

// chain names a failing dependency with the causes that its message has: database timeout, or stock ← database timeout.
func chain(cause *vitalspb.Cause) string {
	_, nested, found := strings.Cut(cause.GetText(), causedBy)
	if !found {
		return cause.GetCheck() + " " + cause.GetReason()
	}
	links := append([]string{cause.GetCheck()}, strings.Split(nested, arrow)...)
	if len(links) > maxChain {
		links = append(links[:maxChain], "…")
	}
	return strings.Join(links, arrow)
}
