package statusmap_test

import (
	"fmt"

	"github.com/vitals-go/vitals/internal/statusmap"
)

func ExampleNew() {
	b := statusmap.New(statusmap.Config[string]{Serving: "up", NotServing: "down", Unknown: "unknown"})
	w := b.Watch("orders")
	defer w.Close()
	state, _ := w.State()
	fmt.Println(state)

	b.Publish(map[string]string{"orders": "up"}) // the judge
	b.Set("orders", "down")                      // the application
	w.Wait(nil)
	state, _ = w.State()
	fmt.Println(state)
	// Output:
	// unknown
	// down
}
