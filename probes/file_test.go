package probes_test

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"log/slog"
	"math"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vitals-go/vitals/checker"
	"github.com/vitals-go/vitals/internal/logtest"
	"github.com/vitals-go/vitals/probes"
	"github.com/vitals-go/vitals/servicer"
)

func newFile(t testing.TB, config probes.FileConfig) *probes.File {
	t.Helper()
	f, err := probes.NewFile(config)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// running runs f until the returned function is called.
func running(t testing.TB, f *probes.File) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := f.Run(ctx); err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	return sync.OnceFunc(func() { cancel(); wg.Wait() })
}

// testLog is a log that a test reads while it is written.
type testLog struct{ logtest.Log }

func (l *testLog) count(text string) int {
	return strings.Count(l.String(), text)
}

func (l *testLog) logger() *slog.Logger { return slog.New(slog.NewTextHandler(l, nil)) }

func TestFileSaysWhatTheReportSays(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		report               *servicer.Report
		status               checker.Status
		healthy, live, ready bool
	}{
		"healthy":  {healthyReport(), checker.Healthy, true, true, true},
		"warning":  {warningReport(), checker.Warning, true, true, true},
		"critical": {criticalReport(), checker.Critical, false, true, false},
		"starting": {startingReport(), checker.Unknown, false, true, false},
		"draining": {drainingReport(), checker.Healthy, false, true, false},
		"dead":     {hangingReport(), checker.Critical, false, false, true},
	} {
		synctest.Test(t, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "health")
			stop := running(t, newFile(t, probes.FileConfig{Source: newScript(row.report), Path: path}))
			defer stop()
			synctest.Wait()
			got, err := probes.ReadFile(path)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if got.Status != row.status || got.Healthy != row.healthy || got.Live != row.live || got.Ready != row.ready {
				t.Errorf("%s: %+v", name, got)
			}
			if got.ExpiresAt.Sub(got.Timestamp) != 90*time.Second {
				t.Errorf("%s: valid for %v", name, got.ExpiresAt.Sub(got.Timestamp))
			}
		})
	}
}

func TestFileKeepsTheUsersWords(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "health")
		defer running(t, newFile(t, probes.FileConfig{Source: newScript(warningReport()), Path: path}))()
		synctest.Wait()
		body, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		var doc map[string]any
		if err := json.Unmarshal(body, &doc); err != nil {
			t.Fatal(err)
		}
		if doc["status"] != "warning" || doc["healthy"] != true {
			t.Errorf("%s", body)
		}
		for _, field := range []string{"timestamp", "uptime", "live", "ready", "expires_at", "pid"} {
			if _, ok := doc[field]; !ok {
				t.Errorf("%s is missing in %s", field, body)
			}
		}
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o644 {
			t.Errorf("mode %v, %v; want 0644", info.Mode(), err)
		}
	})
}

func TestFileIsWrittenAtOnceEveryIntervalAndRemoved(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "health")
		source := newScript(healthyReport())
		stop := running(t, newFile(t, probes.FileConfig{Source: source, Path: path, Interval: 10 * time.Second}))
		defer stop()
		synctest.Wait()
		first, err := probes.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(10*time.Second + time.Millisecond)
		synctest.Wait()
		if second, err := probes.ReadFile(path); err != nil || second.Timestamp.Sub(first.Timestamp) != 10*time.Second {
			t.Errorf("written again after %v, %v; want the interval", second.Timestamp.Sub(first.Timestamp), err)
		}
		source.publish(criticalReport())
		synctest.Wait()
		if now, err := probes.ReadFile(path); err != nil || now.Ready {
			t.Errorf("after a transition: %+v, %v; want not ready, at once", now, err)
		}
		stop()
		if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("after a clean stop: %v, want no file", err)
		}
		if left, _ := os.ReadDir(filepath.Dir(path)); len(left) != 0 {
			t.Errorf("left behind: %v", left)
		}
	})
}

// behind is a source that publishes next while its first report is being read.
type behind struct {
	*script
	next *servicer.Report
	read *atomic.Bool
}

func (b behind) Report() *servicer.Report {
	report := b.script.Report()
	if b.read.CompareAndSwap(false, true) {
		b.publish(b.next)
	}
	return report
}

func TestFileHoldsTheReportPublishedWhileTheLastWasRead(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "health")
		source := behind{newScript(healthyReport()), criticalReport(), new(atomic.Bool)}
		defer running(t, newFile(t, probes.FileConfig{Source: source, Path: path}))()
		synctest.Wait()
		if got, err := probes.ReadFile(path); err != nil || got.Ready {
			t.Errorf("%+v, %v; the newest report is not ready", got, err)
		}
	})
}

func TestFileFailureIsLoggedOnceAndRetried(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		dir := filepath.Join(t.TempDir(), "missing")
		path := filepath.Join(dir, "health")
		log := &testLog{}
		defer running(t, newFile(t, probes.FileConfig{Source: newScript(healthyReport()), Path: path, Logger: log.logger()}))()
		time.Sleep(14 * time.Second)
		synctest.Wait()
		if got := log.count("cannot be written"); got != 1 {
			t.Errorf("three failures for one cause made %d log lines, want 1", got)
		}
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		time.Sleep(5 * time.Second)
		synctest.Wait()
		if _, err := probes.ReadFile(path); err != nil {
			t.Errorf("five seconds after the cause has gone: %v", err)
		}
		if log.count("written again") != 1 {
			t.Error("the recovery is not logged")
		}
	})
}

func TestFileReplacesALinkAndNeverFollowsIt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		victim, path := filepath.Join(dir, "victim"), filepath.Join(dir, "health")
		if err := os.WriteFile(victim, []byte("precious"), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(victim, path); err != nil {
			t.Fatal(err)
		}
		defer running(t, newFile(t, probes.FileConfig{Source: newScript(healthyReport()), Path: path}))()
		synctest.Wait()
		if got, _ := os.ReadFile(victim); string(got) != "precious" {
			t.Errorf("the link's target was overwritten: %q", got)
		}
		if _, err := probes.ReadFile(path); err != nil {
			t.Error(err)
		}
	})
}

func TestSharedPathIsNoticed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "health")
		log := &testLog{}
		stop := running(t, newFile(t, probes.FileConfig{Source: newScript(healthyReport()), Path: path, Logger: log.logger()}))
		defer stop()
		synctest.Wait()
		other := `{"status":"healthy","ready":true,"pid":4242,"timestamp":"` + time.Now().UTC().Format(time.RFC3339Nano) +
			`","expires_at":"` + time.Now().Add(2*time.Minute).UTC().Format(time.RFC3339Nano) + `"}`
		for range 3 {
			if err := os.WriteFile(path, []byte(other), 0o600); err != nil {
				t.Fatal(err)
			}
			time.Sleep(30 * time.Second)
			synctest.Wait()
		}
		if got := log.count("other_pid=4242"); got != 1 {
			t.Errorf("the other process is named %d times, want once", got)
		}
		if err := os.WriteFile(path, []byte(other), 0o600); err != nil {
			t.Fatal(err)
		}
		stop()
		if got, _ := os.ReadFile(path); string(got) != other {
			t.Errorf("the other's file was removed")
		}
	})
}

func TestLeftoversOfAKilledPredecessorAreSwept(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		mine := filepath.Join(dir, ".health."+itoa(os.Getpid())+".77.tmp")
		others := filepath.Join(dir, ".health."+itoa(os.Getpid()+1)+".77.tmp")
		for _, path := range []string{mine, others} {
			if err := os.WriteFile(path, nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		defer running(t, newFile(t, probes.FileConfig{Source: newScript(healthyReport()), Path: filepath.Join(dir, "health")}))()
		synctest.Wait()
		if _, err := os.Lstat(mine); !errors.Is(err, fs.ErrNotExist) {
			t.Error("our own leftover is still there")
		}
		if _, err := os.Lstat(others); err != nil {
			t.Error("another process lost its file")
		}
	})
}

func TestReadersNeverSeeATornFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "health")
	source := newScript(healthyReport())
	stop := running(t, newFile(t, probes.FileConfig{Source: source, Path: path}))
	defer stop()
	var done atomic.Bool
	var writers sync.WaitGroup
	writers.Go(func() {
		for i := 0; !done.Load(); i++ {
			source.publish(map[bool]*servicer.Report{true: criticalReport(), false: healthyReport()}[i%2 == 0])
		}
	})
	for {
		if _, err := probes.ReadFile(path); err == nil {
			break
		}
	}
	reads := 100_000
	if raceEnabled {
		reads = 5000
	}
	seen := make(map[bool]int)
	for range reads {
		status, err := probes.ReadFile(path)
		if err != nil {
			t.Error(err)
			break
		}
		if status.Ready != status.Healthy {
			t.Errorf("a mixture of two verdicts: %+v", status)
			break
		}
		seen[status.Ready]++
	}
	done.Store(true)
	writers.Wait()
	if len(seen) != 2 {
		t.Errorf("seen %v, want both verdicts", seen)
	}
}

func TestReadFileBelievesOnlyAFreshWholeFile(t *testing.T) {
	t.Parallel()
	now := time.Now()
	content := func(written, expires time.Duration) string {
		return `{"status":"healthy","healthy":true,"live":true,"ready":true,"timestamp":"` +
			now.Add(written).UTC().Format(time.RFC3339Nano) + `","expires_at":"` + now.Add(expires).UTC().Format(time.RFC3339Nano) + `"}`
	}
	good := content(-time.Second, time.Minute)
	dir := t.TempDir()
	for name, row := range map[string]struct {
		body string
		ok   bool
	}{
		"fresh":            {good, true},
		"expired":          {content(-time.Hour, -time.Minute), false},
		"from the future":  {content(time.Hour, 2*time.Hour), false},
		"a second ahead":   {content(time.Second, time.Minute), true},
		"times reversed":   {content(time.Second, -time.Minute), false},
		"torn":             {good[:len(good)/2], false},
		"empty":            {"", false},
		"without times":    {`{"status":"healthy","healthy":true,"ready":true}`, false},
		"not an object":    {`"healthy"`, false},
		"unknown status":   {strings.Replace(good, `"healthy"`, `"splendid"`, 1), false},
		"two documents":    {good + good, false},
		"enormous":         {good + strings.Repeat(" ", 1<<20) + "x", false},
		"binary":           {"\x00\xff", false},
		"trailing newline": {good + "\n", true},
	} {
		path := filepath.Join(dir, strings.ReplaceAll(name, " ", "-"))
		if err := os.WriteFile(path, []byte(row.body), 0o600); err != nil {
			t.Fatal(err)
		}
		status, err := probes.ReadFile(path)
		if (err == nil) != row.ok || err != nil && (!errors.Is(err, probes.ErrInvalidFile) || status.Ready) {
			t.Errorf("%s: %+v, %v", name, status, err)
		}
	}
	if _, err := probes.ReadFile(filepath.Join(dir, "nobody")); !errors.Is(err, probes.ErrInvalidFile) || !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("missing: %v", err)
	}
	link := filepath.Join(dir, "link")
	if err := os.Symlink(filepath.Join(dir, "fresh"), link); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{link, dir} {
		if _, err := probes.ReadFile(path); !errors.Is(err, probes.ErrInvalidFile) {
			t.Errorf("%s: %v, want no belief in what is not a regular file", path, err)
		}
	}
}

func TestNewFileReportsAllMistakes(t *testing.T) {
	t.Parallel()
	_, err := probes.NewFile(probes.FileConfig{Interval: -1})
	for _, field := range []string{"Source", "Path", "Interval"} {
		if err == nil || !strings.Contains(err.Error(), "FileConfig."+field) {
			t.Errorf("%v does not name %s", err, field)
		}
	}
	for _, folder := range []string{"/tmp/", t.TempDir(), "."} {
		if _, err := probes.NewFile(probes.FileConfig{Source: newScript(nil), Path: folder}); err == nil {
			t.Errorf("the folder %s is taken for a file", folder)
		}
	}
	for _, interval := range []time.Duration{-1, 1, time.Millisecond, 99 * time.Millisecond, math.MaxInt64 / 3, math.MaxInt64} {
		if _, err := probes.NewFile(probes.FileConfig{Source: newScript(nil), Path: "file", Interval: interval}); err == nil {
			t.Errorf("interval %v is accepted", interval)
		}
	}
}

// With three intervals alone, a file of the least interval would expire while its writer waits for a CPU.
func TestFileIsValidForSecondsWhateverTheInterval(t *testing.T) {
	t.Parallel()
	for interval, want := range map[time.Duration]time.Duration{
		100 * time.Millisecond: 3 * time.Second, time.Second: 3 * time.Second, 2 * time.Second: 6 * time.Second,
		math.MaxInt64 / 8: 3 * (math.MaxInt64 / 8),
	} {
		synctest.Test(t, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "health")
			defer running(t, newFile(t, probes.FileConfig{Source: newScript(healthyReport()), Path: path, Interval: interval}))()
			synctest.Wait()
			got, err := probes.ReadFile(path)
			if err != nil || got.ExpiresAt.Sub(got.Timestamp) != want {
				t.Errorf("interval %v: %+v, %v", interval, got, err)
			}
		})
	}
}

// Not parallel: it changes the working directory.
func TestRelativeFilePathSurvivesChdir(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	synctest.Test(t, func(t *testing.T) {
		source := newScript(healthyReport())
		stop := running(t, newFile(t, probes.FileConfig{Source: source, Path: "health"}))
		defer stop()
		synctest.Wait()
		t.Chdir("/")
		source.publish(criticalReport())
		synctest.Wait()
		if got, err := probes.ReadFile(filepath.Join(dir, "health")); err != nil || got.Status != checker.Critical {
			t.Errorf("after chdir: %+v, %v", got, err)
		}
		stop()
		if entries, err := os.ReadDir(dir); err != nil || len(entries) > 0 {
			t.Errorf("left behind: %v, %v", entries, err)
		}
	})
}
