package resource

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/vitals-go/vitals/checker"
)

// filesystem measures one path. Its mount may hang.
type filesystem struct {
	host host
	path string

	mu       sync.Mutex
	writable bool      // it has been
	last     *diskCall // possibly in flight, also after the run that started it; nil before the first
}

// diskCall is one call of host.Disk. The fields are written before done is closed.
type diskCall struct {
	since    time.Time
	done     chan struct{}
	state    diskState
	err      error
	panicked any
}

// maxPath is the length, in bytes, of the longest path that fits the name of a check.
const maxPath = 128 - len(diskUsage+":")

// shortPath returns path as the name of a check can hold it: if it is too long or unprintable, its end and a hash of the
// whole.
func shortPath(path string) string {
	printable := strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return '?'
	}, strings.ToValidUTF8(path, "?"))
	if printable == path && len(path) <= maxPath {
		return path
	}
	hash := sha256.Sum256([]byte(path))
	suffix := "#" + hex.EncodeToString(hash[:4])
	for len("…"+printable+suffix) > maxPath {
		_, size := utf8.DecodeRuneInString(printable)
		printable = printable[size:]
	}
	return "…" + printable + suffix
}

// hanging is the age from which a call that has not returned counts as hanging.
const hanging = time.Second

// waitShare is the share of the time to the context's deadline that a run waits for the filesystem.
const waitShare = 0.8

// usage measures what is used of space, or of inodes if more than half of them and a greater share is used. Nothing is left of a filesystem that has become read-only,
// as ext4 does after an error; one that holds an image is full on purpose.
func (f *filesystem) usage(ctx context.Context) (checker.Measurement, error) {
	state, err := f.read(ctx)
	if err != nil {
		return checker.Measurement{}, err
	}
	m := checker.Measurement{Value: state.Space.percent(), Unit: "%", Source: "of " + humanSize(state.Space.Total)}
	switch {
	case isImage(state.Type):
		m.Value, m.Source = 0, "of an image, which is always full"
	case f.failsToWrite(state):
		m.Value, m.Source = 100, m.Source+", read-only"
	case state.Inodes.percent() > max(m.Value, 50):
		m.Value, m.Source = state.Inodes.percent(), fmt.Sprintf("of %d inodes", state.Inodes.Total)
	}
	return m, nil
}

// free measures what is left of the space, in GiB.
func (f *filesystem) free(ctx context.Context) (checker.Measurement, error) {
	state, err := f.read(ctx)
	if err != nil {
		return checker.Measurement{}, err
	}
	m := checker.Measurement{Unit: "GiB", Source: "of " + humanSize(state.Space.Total)}
	if f.failsToWrite(state) {
		m.Source += ", read-only"
	} else {
		m.Value = float64(state.Space.Total-min(state.Space.Used, state.Space.Total)) / (1 << 30)
	}
	return m, nil
}

// failsToWrite reports whether a filesystem is read-only that should not be. The root of a container may be.
func (f *filesystem) failsToWrite(state diskState) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.writable = f.writable || !state.ReadOnly
	return state.ReadOnly && (f.writable || f.path != "/")
}

// isImage reports whether filesystems of this type are images, which have no space left from the beginning.
func isImage(filesystem string) bool {
	return slices.Contains([]string{"squashfs", "iso9660", "isofs", "erofs", "cramfs", "udf"}, filesystem)
}

// typeOf returns the type of the filesystem that path is on, without a call to it: it may hang. It is empty if unknown.
func typeOf(files fs.FS, path string) (filesystem string) {
	longest := 0
	for line := range strings.Lines(readText(files, "proc/self/mountinfo")) {
		before, after, _ := strings.Cut(line, " - ")
		where, what := strings.Split(before, " "), strings.Fields(after)
		if len(where) < 5 || len(what) == 0 {
			continue
		}
		point := mountEscapes.Replace(where[4])
		below, within := strings.CutPrefix(path, point)
		if within && (point == "/" || below == "" || below[0] == '/') && len(point) >= longest {
			longest, filesystem = len(point), what[0] // a later mount hides an earlier one
		}
	}
	return filesystem
}

// read returns the state of the filesystem, or an error if it hangs.
func (f *filesystem) read(ctx context.Context) (diskState, error) {
	call, earlier := f.call(ctx)
	if earlier && time.Since(call.since) > hanging {
		return diskState{}, f.hangs(call)
	}
	if deadline, ok := ctx.Deadline(); ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, time.Duration(waitShare*float64(time.Until(deadline))))
		defer cancel()
	}
	select {
	case <-call.done:
	case <-ctx.Done():
		return diskState{}, f.hangs(call)
	}
	if call.panicked != nil {
		panic(call.panicked)
	}
	if call.err != nil {
		return diskState{}, fmt.Errorf("reading the usage of %s: %w", f.path, call.err)
	}
	return call.state, nil
}

// call returns the call in flight, or starts one. Earlier is true if it was in flight already.
func (f *filesystem) call(ctx context.Context) (call *diskCall, earlier bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.last != nil {
		select {
		case <-f.last.done:
		default:
			return f.last, true
		}
	}
	f.last = &diskCall{since: time.Now(), done: make(chan struct{})}
	go f.last.make(context.WithoutCancel(ctx), f.host, f.path) // may never return
	return f.last, false
}

func (c *diskCall) make(ctx context.Context, host host, path string) {
	defer close(c.done)
	defer func() { c.panicked = recover() }()
	c.state, c.err = host.Disk(ctx, path)
}

func (f *filesystem) hangs(call *diskCall) error {
	return fmt.Errorf("the filesystem of %s has not responded for %v: is it a network mount whose server is down? %w",
		f.path, time.Since(call.since).Round(time.Millisecond), checker.ErrInconclusive)
}
