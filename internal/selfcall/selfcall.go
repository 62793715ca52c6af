// Package selfcall marks the calls that a server makes of itself, so that they count neither as traffic nor as those of a prober.
package selfcall

// UserAgent is that of such calls.
const UserAgent = "vitals_self_check"
