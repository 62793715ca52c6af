// Package supervisor keeps a store plugin alive. It starts the plugin's process, follows its liveness and its report,
// and starts a new process when the old one dies, hangs, or says that only a restart helps.
//
// A failing dependency is no reason to restart: the plugin's readiness says so, its liveness does not. That a plugin
// hangs can only be seen by asking: a stream of its health stays silent then, and go-plugin's own Ping and Kill wait
// for ever.
//
// Run owns every goroutine, process and file and leaves none behind. All methods may be called concurrently, Run once
// at a time.
package supervisor
