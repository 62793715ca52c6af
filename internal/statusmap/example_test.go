package statusmap_test

import (
	"fmt"

	"github.com/vitals-go/vitals/internal/statusmap"
)

func ExampleNew() {
	m := statusmap.New("unknown")
	w := m.Watch("orders")
	defer w.Close()
	status, _ := w.Status()
	fmt.Println(status)

	m.Set("orders", "up")
	m.Set("orders", "down")
	w.Wait(nil)
	status, _ = w.Status()
	fmt.Println(status)
	// Output:
	// unknown
	// down
}
