package board_test

import (
	"fmt"

	"github.com/vitals-go/vitals/internal/board"
)

func ExampleNew() {
	b := board.New(board.Config[string]{Serving: "up", NotServing: "down", Unknown: "unknown"})
	w := b.Watch("orders")
	defer w.Close()
	state, next := w.Next()
	fmt.Println(state)

	b.Publish(map[string]string{"orders": "up"}) // the judge
	b.Set("orders", "down")                      // the application
	<-next
	state, _ = w.Next()
	fmt.Println(state)
	// Output:
	// unknown
	// down
}
