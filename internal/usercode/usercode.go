// Package usercode calls functions of the user from goroutines of the library, which must outlive them.
package usercode

import (
	"errors"

	"github.com/vitals-go/vitals/internal/errtext"
)

var errGoexit = errors.New("goroutine ended (runtime.Goexit)")

// Call calls f in a goroutine of its own and waits for it. The error is that of a panic or of runtime.Goexit, as of
// testing.T.Fatal.
func Call[T any](f func() T) (value T, err error) {
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		err = errGoexit
		defer func() {
			if cause := recover(); cause != nil {
				err = errors.New("panic: " + errtext.Panic(cause))
			}
		}()
		value, err = f(), nil
	}()
	<-ended
	return value, err
}
