package interceptor

import (
	"math/bits"
	"sync/atomic"
	"unsafe"
)

// constants find the methods of strings by their addresses, a fifth of the cost of a map: generated code passes the same
// constant for every call of a method. Strings that are made for each call fill the places, which are never replaced, and
// take the way through the map.
type constants []atomic.Pointer[constant]

// constant is a string, which keeps its address from being used by another one, and its method.
type constant struct {
	name   string
	method *method
}

func (c *constant) is(name string) bool {
	return unsafe.StringData(c.name) == unsafe.StringData(name) && len(c.name) == len(name)
}

// newConstants returns places for so many names: eight times as many, so that few names share one.
func newConstants(names int) constants { return make(constants, 1<<bits.Len(uint(8*names))) }

func (c constants) place(name string) *atomic.Pointer[constant] {
	address := uint64(uintptr(unsafe.Pointer(unsafe.StringData(name))))
	return &c[address*0x9e3779b97f4a7c15>>32&uint64(len(c)-1)]
}
