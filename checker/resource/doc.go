// Package resource makes checks of what the process uses up: CPU, memory, disk, and what warns of their end.
//
// [Checks] returns ordinary [checker.Check] values of kind [checker.Resource] for a [checker.Checker] to run:
//
//	cpu_usage          % of the CPUs     critical above 80 %, warning above 64 %
//	memory_usage       % of the memory   critical above 85 %, warning above 68 %
//	disk_usage         % of a filesystem critical above 90 %, warning above 72 %
//	open_files         % of the limit of open file descriptors; critical above 90 %, warning above 72 %
//	goroutines         number
//	gc_cpu             % of the CPU time open to the process that the garbage collector took, idle marking aside
//	load               load average of one minute per CPU of the host
//	cpu_throttling     % of the scheduling periods in which the control group ran into its CPU quota
//	cpu_pressure       % of the last minute in which some task waited for a CPU
//	memory_pressure    % of the last minute in which all tasks waited for memory
//	io_pressure        % of the last minute in which all tasks waited for input or output
//
// With several disk paths there is one check for each, named disk_usage:<path>. The checks without a threshold are
// there to be read: they are always healthy unless [Config.Thresholds] judges them.
//
// # Against what
//
// CPU and memory are measured against the limit of the control group (version 2, 1, or both side by side), where
// there is one, else against the host; [checker.Measurement.Source] says which: "of the cgroup limit (512 MiB)" or
// "of the host (24 GiB)". Every ancestor that can be seen counts, and the fullest level is reported, because that is
// the one which throttles or kills first. Memory is the group's usage without its inactive page cache, which the
// kernel gives back before it kills. CPU is time used per time passed, over the quota or the CPUs of the cpuset,
// whichever is less. Limits are read anew by each run, so a resize in place is seen. A file of the control group that is
// missing or makes no sense counts as no limit.
//
// CPU shares are differences between two runs, kept by the check itself. The baseline is taken by Checks. A first run
// that comes within a second of it reports what has been used since, as the share of a whole second: too little rather
// than too much, because it says nothing about now what a machine did before. A later run within a second of another
// repeats its figure. Nothing ever waits for a sample.
//
// # What cannot be known
//
// Checks leaves out what the machine does not offer, once, when it is called: load and open_files on Windows, control
// groups and pressure anywhere but on Linux, cpu_usage on macOS in a binary built without cgo.
//
// A filesystem that hangs (a dead network mount) makes its check unknown: the run gives up before its context ends,
// and no second call to the filesystem is made until the first has returned. At most one goroutine per path can be
// stuck. All other failures to read are errors of the check.
//
// # Concurrency, ownership and cost
//
// The functions of the checks may be called concurrently. They start no goroutine but the one that asks a filesystem.
// A run of cpu_usage or memory_usage costs up to half a millisecond, nearly all of it for reading /proc, the others
// less; between runs nothing happens. To measure it:
//
//	go test -run '^$' -bench Measure ./checker/resource
//
// gopsutil follows the variables HOST_PROC and HOST_SYS of the environment; control groups are read in [Config.Files].
//
// The package builds for every platform of gopsutil; to see that a change keeps it so:
//
//	GOOS=darwin go vet ./checker/...
//	GOOS=windows go vet ./checker/...
package resource
