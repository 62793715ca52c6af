package servicer

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/vitals-go/vitals/interceptor"
)

func TestIdleRequestsAreReadAgainAfterACall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		recorder, err := interceptor.New(interceptor.Config{})
		if err != nil {
			t.Fatal(err)
		}
		r := requests{recorder: recorder}
		read := func(idle bool) {
			t.Helper()
			time.Sleep(time.Minute)
			s, err := r.read()
			if err != nil || !s.Time.Equal(time.Now()) {
				t.Fatalf("got a snapshot of %v, %v, want one of now", s.Time, err)
			}
			if at, _ := r.next(); r.idle != idle || at.IsZero() != idle {
				t.Fatalf("idle: got %v, next read at %v, want %v", r.idle, at, idle)
			}
		}
		read(false)
		read(true)
		read(true)
		called := make(chan struct{})
		close(called)
		r.changed = called // by a call whose counter follows
		read(false)
		read(true)
	})
}
