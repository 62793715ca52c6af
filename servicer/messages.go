package servicer

import (
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/vitals-go/vitals/servicer/vitalspb"
)

// messages are a report as protobuf, made at the first call and shared by all later ones; they are never changed. Each call
// gets a copy of the outermost message with the time of the call.
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
		Version:       validUTF8(r.Version),
		Metrics:       make(map[string]*vitalspb.HealthMetric, len(r.Metrics)),
		Phase:         r.Phase.String(),
		Revision:      r.Revision,
		EvaluatedAt:   timestamp(r.EvaluatedAt),
		Standby:       r.Standby,
	}
	for i := range r.Metrics {
		m.Metrics[validUTF8(r.Metrics[i].Name)] = r.Metrics[i].message(details)
	}
	for i := range r.Names {
		m.Names = append(m.Names, r.Names[i].message())
	}
	for i := range r.Shadow {
		m.Shadow = append(m.Shadow, r.Shadow[i].message())
	}
	for _, t := range r.Transitions {
		m.Transitions = append(m.Transitions, &vitalspb.Transition{
			At: timestamp(t.At), Subject: validUTF8(t.Subject), From: t.From, To: t.To, Reason: t.Reason.String(),
			Text: validUTF8(t.Text), PreviousStateSeconds: t.PreviousFor.Seconds(), Seq: t.Seq, Names: allValidUTF8(t.Names),
		})
	}
	for _, w := range r.Maintenance {
		m.Maintenance = append(m.Maintenance, &vitalspb.Maintenance{
			Name: validUTF8(w.Name), Reason: validUTF8(w.Reason), Until: timestamp(w.Until),
		})
	}
	for _, p := range r.Probers {
		m.Probers = append(m.Probers, &vitalspb.Prober{
			Prober: p.Kind, Protocol: p.Protocol, Name: p.Name, Unknown: p.Unknown, Requests: p.Requests, Open: int64(p.Open),
			IntervalSeconds: p.Interval.Seconds(), Last: timestamp(p.Last), Answer: p.Answer, Stopped: p.Stopped,
		})
	}
	return m
}

func (m *Metric) message(details bool) *vitalspb.HealthMetric {
	metric := &vitalspb.HealthMetric{
		Value:       validUTF8(m.Value),
		Status:      m.Status.String(),
		Message:     validUTF8(m.Message),
		Threshold:   m.Threshold,
		LastUpdated: timestamp(m.Updated),
		Reason:      m.Reason.String(),
		Since:       timestamp(m.Since),
		Number:      m.Number,
		Unit:        validUTF8(m.Unit),
		CausedBy:    m.CausedBy,
	}
	for _, v := range m.Values {
		metric.Values = append(metric.Values, &vitalspb.MetricValue{Name: validUTF8(v.Name), Number: v.Number, Unit: validUTF8(v.Unit)})
	}
	if details {
		metric.Detail = validUTF8(m.Detail)
	}
	return metric
}

func (n *ServingName) message() *vitalspb.ServingName {
	name := &vitalspb.ServingName{Name: validUTF8(n.Name), Status: n.Status.String()}
	for _, c := range n.Causes {
		name.Causes = append(name.Causes, &vitalspb.Cause{
			Check: validUTF8(c.Check), Reason: c.Reason.String(), Text: validUTF8(c.Text),
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
			Service:        validUTF8(m.Service),
			Method:         validUTF8(m.Name),
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

// timestamp returns t as RFC 3339 in UTC, "" for the zero time.
func timestamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339Nano)
}

// validUTF8 returns text as a protobuf string can hold it: one invalid byte would make the whole report impossible to send.
func validUTF8(text string) string { return strings.ToValidUTF8(text, "\uFFFD") }

// allValidUTF8 returns list with each text as validUTF8 makes it: list itself if nothing has to be changed.
func allValidUTF8(list []string) []string {
	if !slices.ContainsFunc(list, func(text string) bool { return !utf8.ValidString(text) }) {
		return list
	}
	valid := make([]string, len(list))
	for i, text := range list {
		valid[i] = validUTF8(text)
	}
	return valid
}
