package main

import (
	"fmt"
	"slices"
	"strings"
	"sync"
)

// inquiry is one round of questions at the doors, and what was wrong about the answers. Doors are asked concurrently.
type inquiry struct {
	want  truth
	mu    sync.Mutex
	count map[string]int // verdicts compared, by door
	wrong []finding
}

// finding is an answer that is not the truth.
type finding struct{ door, subject, said, want string }

func (f finding) String() string {
	return fmt.Sprintf("%s: %s is %s, want %s", f.door, f.subject, f.said, f.want)
}

func newInquiry(want truth) *inquiry { return &inquiry{want: want, count: map[string]int{}} }

// equal compares what a door has said about a subject.
func (q *inquiry) equal(door, subject, said, want string) {
	q.check(door, subject, said, want, said == want)
}

// check notes what a door has said about a subject, right or wrong.
func (q *inquiry) check(door, subject, said, want string, right bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.count[door]++
	if !right {
		q.wrong = append(q.wrong, finding{door, subject, said, want})
	}
}

// failed notes that a door gave no answer.
func (q *inquiry) failed(door string, err error) {
	q.check(door, "the answer", fmt.Sprintf("%q", err), "there", false)
}

// err is nil if every door has told the truth.
func (q *inquiry) err() error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.wrong) == 0 {
		return nil
	}
	var lines []string
	for _, f := range q.wrong {
		lines = append(lines, "  "+f.String())
	}
	slices.Sort(lines)
	return fmt.Errorf("%d wrong answers:\n%s", len(lines), strings.Join(lines, "\n"))
}
