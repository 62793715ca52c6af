package oracle

// The checks of examples/server, which are optional but for the database, and its service.
const (
	Database = "database"
	Cache    = "cache"
	Prices   = "external_api"
	Upstream = "upstream"
	Service  = "inventory.v1.Inventory"
)

// Requests is what success rate and latency of the calls say together: undecided where the test makes calls.
const Requests = "requests"

// Inventory is an examples/server that has started with some of its dependencies, all of which pass. Its resources can
// warn, but never become critical: tests set their thresholds to 100 %.
func Inventory(dependencies ...string) World {
	w := World{
		Checks:   []Check{{Name: "resources", Optional: true, Gates: Nothing}, {Name: Requests, Gates: Nothing}},
		Services: []string{Service}, Started: true,
	}
	for _, name := range dependencies {
		w.Checks = append(w.Checks, Check{Name: name, Optional: name != Database, Outcome: Passing, Breaker: "closed"})
	}
	return w
}
