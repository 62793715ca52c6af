package resource

import (
	"io/fs"
	"slices"
	"sync"
	"time"
)

// memoLife is the lifetime of cached files: processes rarely move to another control group.
const memoLife = time.Minute

// memo is a tree that caches the files with the location of the control groups: finding these costs ten times as much as
// reading them. It may be used concurrently.
type memo struct {
	fs.FS

	mu   sync.Mutex
	kept map[string]remembered
}

type remembered struct {
	text  []byte
	err   error
	until time.Time
}

func newMemo(files fs.FS) *memo { return &memo{FS: files, kept: make(map[string]remembered)} }

// ReadFile implements fs.ReadFileFS. The result is shared and must not be changed.
func (m *memo) ReadFile(name string) ([]byte, error) {
	if !slices.Contains([]string{"proc/self/cgroup", "proc/self/mountinfo", "sys/devices/system/cpu/online"}, name) {
		return fs.ReadFile(m.FS, name)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	r := m.kept[name]
	if !time.Now().Before(r.until) {
		r.text, r.err = fs.ReadFile(m.FS, name)
		r.until = time.Now().Add(memoLife)
		m.kept[name] = r
	}
	return r.text, r.err
}
