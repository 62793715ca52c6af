package week

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc/codes"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"

	"github.com/vitals-go/vitals/interceptor"
	"github.com/vitals-go/vitals/internal/e2e/oracle"
	"github.com/vitals-go/vitals/probes"
)

// TestAWeek runs a server for a week of virtual time: traffic by the hour of the day, incidents of every kind,
// maintenance, watchers that come and go, scrapes, and a deployment every day. The script alone says what everybody must
// be told at any moment, and the shop's books what must have been counted. With -short or the race detector the week
// is a day.
func TestAWeek(t *testing.T) {
	span := 7 * 24 * time.Hour
	if testing.Short() || raceEnabled {
		span = 24 * time.Hour
	}
	defer debug.SetGCPercent(debug.SetGCPercent(400)) // the heap is small, and is weighed after a collection
	file := filepath.Join(t.TempDir(), "health")
	synctest.Test(t, func(t *testing.T) {
		calls, err := interceptor.New(interceptor.Config{})
		if err != nil {
			t.Fatal(err)
		}
		d := &director{
			scenario: newScenario(span), t: t, span: span, file: file, calls: calls, random: rand.New(rand.NewPCG(7, 7)),
			made: map[codes.Code]uint64{}, goroutines: len(inBubble()), operator: &operator{random: rand.New(rand.NewPCG(8, 8))},
		}
		d.shop = d.deploy(t, file, calls)
		for ; d.now() < span && !t.Failed(); d.tick++ {
			d.play()
			time.Sleep(time.Until(d.began.Add(time.Duration(d.tick+1) * tick)))
		}
		d.retire()
		if !t.Failed() {
			d.conclude()
		}
		time.Sleep(time.Hour) // for checks that ignore their context
	})
}

// director plays the script, minute by minute, and keeps the books of those who call.
type director struct {
	*scenario
	t      *testing.T
	span   time.Duration
	file   string
	shop   *shop
	calls  *interceptor.Recorder // of the clients, all week
	random *rand.Rand
	tick   int

	operator   *operator
	made       map[codes.Code]uint64 // calls, by the code that the client saw
	watchers   []*watcher
	goroutines int       // of this bubble, before the first deployment
	heaps      []float64 // at the same hour of each day, in bytes

	asked, facts, told, scrapes, deployments int
}

func (d *director) play() {
	clock := time.Duration(d.tick) * tick
	hour, day := clock%(24*time.Hour), int(clock/(24*time.Hour))
	if hour == 4*time.Hour+time.Duration(10+38*day)*time.Minute ||
		day == 0 && hour == 90*time.Minute || day == 2 && hour == 19*time.Hour+30*time.Minute {
		d.retire()
		time.Sleep(3 * time.Second) // nobody is there
		d.shop = d.deploy(d.t, d.file, d.calls)
	}
	for _, m := range d.windows {
		if m.from == clock {
			d.maintain(m, "planned")
		}
	}
	d.renew(clock)
	d.traffic(hour)
	if d.tick%4 == 0 {
		d.come()
	}
	if len(d.watchers) > 12 || d.tick%6 == 0 && len(d.watchers) > 0 {
		d.dismiss()
	}
	time.Sleep(2 * time.Second) // numbers are published every second
	synctest.Wait()
	d.sample()
	d.operate()
	if d.tick%15 == 0 {
		d.shop.balance(d.t)
		d.scrape()
	}
	if hour == 12*time.Hour || d.span == 24*time.Hour && (hour == 8*time.Hour || hour == 23*time.Hour) {
		d.weigh()
	}
}

// traffic is what the hour of the day brings: few calls at night, most in the afternoon.
func (d *director) traffic(hour time.Duration) {
	n := int(math.Round(5 - 4*math.Cos(2*math.Pi*(hour.Hours()-3)/24)))
	for range n {
		order := [...]string{"plain", "paid", "paid", "missing", "plain", "slow", "cursed", "paid"}[d.random.IntN(8)]
		d.made[d.shop.order(order)]++
	}
	if n := d.random.IntN(4); d.tick%3 == 0 {
		if got := d.shop.follow(d.t, n); got != n {
			d.t.Errorf("at %v: %d messages of %d have come", d.now(), got, n)
		}
		d.made[codes.OK]++
	}
}

// sample compares every door with the script.
func (d *director) sample() {
	now := d.now()
	report := d.shop.servicer.Report()
	if d.tick%3 == 0 {
		d.agree()
		d.compareNow()
	} else {
		d.facts += compare(d.t, oracle.Compare(d.shop.expected(now)), report, now)
	}
	d.asked++
	if status, err := probes.ReadFile(d.file); err != nil || status.Status != report.Overall {
		d.t.Errorf("at %v: the health file says %+v, %v; the report %v", now, status, err, report.Overall)
	}
	for _, w := range d.watchers {
		w.mustKnow(d.t, d.shop, now)
	}
}

// probe compares the codes of the HTTP probes.
func (d *director) probe(want oracle.Expected) {
	for path, serving := range map[string]string{
		"/ready": want.Names["readiness"], "/live": want.Names["liveness"],
		"/startup": map[bool]string{true: "SERVING"}[want.Names["startup"] != ""], // It does not fail again.
		"/health":  map[string]string{"true": "SERVING", "false": "NOT_SERVING"}[want.Healthy],
	} {
		code := d.get(path)
		d.asked++
		if serving != "" && (code == http.StatusOK) != (serving == "SERVING") {
			d.t.Errorf("at %v: GET %s = %d, want %s", d.now(), path, code, serving)
		}
	}
}

// retire drains the server and proves that nothing is left of it.
func (d *director) retire() {
	t, s := d.t, d.shop
	s.balance(t)
	d.chronicle()
	s.cancel()
	synctest.Wait()
	for name, want := range map[string]healthpb.HealthCheckResponse_ServingStatus{
		"": healthpb.HealthCheckResponse_NOT_SERVING, "readiness": healthpb.HealthCheckResponse_NOT_SERVING, orders: healthpb.HealthCheckResponse_NOT_SERVING,
	} {
		if got, err := s.servicer.Check(context.Background(), &healthpb.HealthCheckRequest{Service: name}); err != nil || got.Status != want {
			t.Errorf("at %v: %q is %v, %v during the drain", d.now(), name, got.GetStatus(), err)
		}
	}
	for _, w := range d.watchers {
		w.mustKnow(t, s, d.now())
	}
	code := s.order("plain")
	if d.made[code]++; code != codes.OK {
		t.Errorf("at %v: a call during the drain delay ends with %v", d.now(), code)
	}
	if err := <-s.ended; err != nil {
		t.Errorf("at %v: Serve = %v", d.now(), err)
	}
	for _, w := range d.watchers {
		if err := <-w.ended; codesOf(err) != codes.Unavailable {
			t.Errorf("at %v: the watch of %q ended with %v", d.now(), w.name, err)
		}
		d.told += w.messages
	}
	d.watchers = nil
	if err := s.silent.Ended(); err != nil {
		t.Errorf("at %v: %v", d.now(), err)
	}
	s.balance(t)
	s.client.Close()
	synctest.Wait()
	if stacks := inBubble(); len(stacks) != d.goroutines+int(d.wedged.Load()) {
		t.Errorf("at %v: %d goroutines, %d before the first deployment:\n%s", d.now(), len(stacks), d.goroutines, strings.Join(stacks, "\n\n"))
	}
	if _, err := os.Stat(d.file); !os.IsNotExist(err) {
		t.Errorf("at %v: the health file is left: %v", d.now(), err)
	}
	d.deployments++
}

// inBubble returns the stacks of all goroutines of this bubble; what other tests have left is none of its business.
func inBubble() []string {
	text := make([]byte, 4<<20)
	all := strings.Split(string(text[:runtime.Stack(text, true)]), "\n\n")
	_, bubble, _ := strings.Cut(all[0], "synctest bubble") // the caller comes first
	bubble, _, _ = strings.Cut("synctest bubble"+bubble, "]")
	return slices.DeleteFunc(all, func(stack string) bool {
		head, _, _ := strings.Cut(stack, "\n")
		return !strings.Contains(head, bubble+"]") && !strings.Contains(head, bubble+",")
	})
}

// weigh notes the size of the heap.
func (d *director) weigh() {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC() // what a sync.Pool held has gone then
	runtime.ReadMemStats(&m)
	d.heaps = append(d.heaps, float64(m.HeapAlloc))
}

// conclude judges the week as a whole.
func (d *director) conclude() {
	t := d.t
	var made uint64
	total := d.calls.Client().Total
	for code, n := range d.made {
		made += n
		if total.ByCode(code) != n {
			t.Errorf("the clients have seen %v %d times, their recorder %d times", code, n, total.ByCode(code))
		}
	}
	if total.Handled != made || total.InFlight() != 0 {
		t.Errorf("the clients have made %d calls, their recorder has counted %d and %d in flight", made, total.Handled, total.InFlight())
	}
	var runs uint64
	for name, diary := range d.diaries() {
		runs += diary.runs
		mean := diary.total / time.Duration(max(diary.gaps, 1))
		// Jitter is 10 % either way, evenly: the mean of n gaps lies within 5 standard errors of the interval, or below
		// because checks that may start together do.
		slack := time.Duration(5 * 6 / math.Sqrt(3*float64(diary.gaps)) * float64(interval) / 60)
		if name == "steady" && (mean > interval+slack || mean < interval*9/10) || diary.most > interval*11/10 {
			t.Errorf("%s has run every %v on average, %v to %v (at %v), want %v - 10 %% + %v; incidents %v", name, mean, diary.least, diary.most,
				diary.when.Sub(d.began), interval, slack, d.incidents[name])
		}
	}
	if steady := d.diaries()["steady"]; steady.least < interval*9/10 || steady.gaps < int(d.span/(interval*62/60)) {
		t.Errorf("steady has run %d times, with gaps from %v", steady.gaps, steady.least)
	}
	first, last := d.heaps[min(1, len(d.heaps)-1)], d.heaps[len(d.heaps)-1]
	if len(d.heaps) == 2 || len(d.heaps) == 3 {
		first = d.heaps[0]
	}
	if grown := last - first; grown > 256<<10 {
		t.Errorf("the heap has grown by %.0f KB, from %.0f KB", grown/1024, first/1024)
	}
	events := runs + made + uint64(d.told+d.asked+d.scrapes+d.deployments)
	t.Logf("%v: %d events: %d runs of checks, %d calls, %d messages to watchers, %d questions, %d scrapes, %d deployments; "+
		"%d facts compared; heap %s", d.span, events, runs, made, d.told, d.asked, d.scrapes, d.deployments, d.facts, kilobytes(d.heaps))
}

func kilobytes(sizes []float64) (text string) {
	for _, size := range sizes {
		text += fmt.Sprintf("%.0f KB, ", size/1024)
	}
	return text + "at noon"
}
