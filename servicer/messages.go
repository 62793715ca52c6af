package servicer

import (
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/vitals-go/vitals/servicer/vitalspb"
)

// messages are an edition as protobuf, made when the first caller asks and shared by all later ones. Nobody may change
// them. Only what differs from call to call, the time, is added to a copy of the outermost message.
type messages struct {
	public  func() *vitalspb.HealthReportResponse
	full    func() *vitalspb.HealthReportResponse // with details
	methods func() []*vitalspb.MethodStats
}

func newMessages(r *Report) *messages {
	return &messages{
		public:  sync.OnceValue(func() *vitalspb.HealthReportResponse { return r.message(false) }),
		full:    sync.OnceValue(func() *vitalspb.HealthReportResponse { return r.message(true) }),
		methods: sync.OnceValue(r.methodStats),
	}
}

// message translates r. Raw causes are left out unless details is set.
func (r *Report) message(details bool) *vitalspb.HealthReportResponse {
	m := &vitalspb.HealthReportResponse{
		OverallStatus: r.Overall.String(),
		Version:       sayable(r.Version),
		Metrics:       make(map[string]*vitalspb.HealthMetric, len(r.Metrics)),
		Phase:         r.Phase.String(),
		Revision:      r.Revision,
		EvaluatedAt:   timestamp(r.EvaluatedAt),
	}
	for i := range r.Metrics {
		m.Metrics[sayable(r.Metrics[i].Name)] = r.Metrics[i].message(details)
	}
	for i := range r.Names {
		m.Names = append(m.Names, r.Names[i].message())
	}
	for _, t := range r.Transitions {
		m.Transitions = append(m.Transitions, &vitalspb.Transition{
			At: timestamp(t.At), Subject: sayable(t.Subject), From: t.From, To: t.To, Reason: t.Reason,
			Text: sayable(t.Text), PreviousStateSeconds: t.PreviousFor.Seconds(), Seq: t.Seq, Names: sayables(t.Names),
		})
	}
	for _, w := range r.Maintenance {
		m.Maintenance = append(m.Maintenance, &vitalspb.Maintenance{
			Name: sayable(w.Name), Reason: sayable(w.Reason), Until: timestamp(w.Until),
		})
	}
	return m
}

func (m *Metric) message(details bool) *vitalspb.HealthMetric {
	metric := &vitalspb.HealthMetric{
		Value:       sayable(m.Value),
		Status:      m.Status.String(),
		Message:     sayable(m.Message),
		Threshold:   m.Threshold,
		LastUpdated: timestamp(m.Updated),
		Reason:      m.Reason.String(),
		Since:       timestamp(m.Since),
		Number:      m.Number,
		Unit:        sayable(m.Unit),
	}
	if details {
		metric.Detail = sayable(m.Detail)
	}
	return metric
}

func (n *ServingName) message() *vitalspb.ServingName {
	name := &vitalspb.ServingName{Name: sayable(n.Name), Status: n.Status.String()}
	for _, c := range n.Causes {
		name.Causes = append(name.Causes, &vitalspb.Cause{
			Check: sayable(c.Check), Reason: c.Reason.String(), Text: sayable(c.Text),
		})
	}
	return name
}

func (r *Report) methodStats() []*vitalspb.MethodStats {
	if r.Requests == nil {
		return nil
	}
	all := make([]*vitalspb.MethodStats, len(r.Requests.Methods))
	for i := range r.Requests.Methods {
		m := &r.Requests.Methods[i]
		all[i] = &vitalspb.MethodStats{
			Service:        sayable(m.Service),
			Method:         sayable(m.Name),
			Type:           string(m.Type),
			Started:        m.Total.Started,
			Handled:        m.Total.Handled,
			Failures:       m.Total.Failures,
			Panics:         m.Total.Panics,
			WindowRequests: m.Window.Requests,
			WindowFailures: m.Window.Failures,
			MeanSeconds:    m.Window.Mean.Seconds(),
			P50Seconds:     m.Window.P50.Seconds(),
			P90Seconds:     m.Window.P90.Seconds(),
			P99Seconds:     m.Window.P99.Seconds(),
		}
	}
	return all
}

// timestamp is t as RFC 3339 in UTC, empty if there is none.
func timestamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339Nano)
}

// sayable is text as a protobuf string can hold it. A driver's error or an operator's word may be in another encoding than
// UTF-8, and one such byte would make the whole report impossible to send.
func sayable(text string) string { return strings.ToValidUTF8(text, "\uFFFD") }

// sayables is list with each text as sayable makes it: the same one if nothing is to be changed.
func sayables(list []string) []string {
	if !slices.ContainsFunc(list, func(text string) bool { return !utf8.ValidString(text) }) {
		return list
	}
	said := make([]string, len(list))
	for i, text := range list {
		said[i] = sayable(text)
	}
	return said
}
